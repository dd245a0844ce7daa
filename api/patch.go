package api

import (
	"fmt"
	"net/http"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
)

// maxPatch bounds the body of a patch, in bytes.
const maxPatch = 4 << 20

// patchNamed is patch with the resource in the query, for names that a path
// cannot hold, as with empty segments or dots.
func (s *Server) patchNamed(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	if !q.Has("type") || !q.Has("name") {
		return badRequest("which resource? Give ?type=TYPE&name=NAME, or POST to /v1/patch/TYPE/NAME")
	}
	r.SetPathValue("type", q.Get("type"))
	r.SetPathValue("name", q.Get("name"))
	return s.patch(w, r)
}

// patch changes a part of one resource; resource.Decoder.ApplyPatch says how.
// Cost: O(size of the resource), and of a virtual host O(changed routes): it is
// a resource of its own, also where it stands inside a route configuration, and
// its routes are kept in segments.
func (s *Server) patch(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxPatch)
	return s.change(w, r, func(_ *query, o deltaplane.Options) (*deltaplane.Plan, error) {
		key, err := pathKey(r, o.Namespace)
		if err != nil {
			return nil, err
		}
		files, err := bodyFiles(r)
		if err != nil {
			return nil, err
		}
		if len(files) != 1 {
			return nil, badRequest(fmt.Sprintf("a patch is one file, not %d", len(files)))
		}
		var warnings resource.Problems
		plan, err := s.cfg.Store.Patch(r.Context(), key, func(old *resource.Resource) (_ *resource.Resource, err error) {
			var now *resource.Resource
			now, warnings, err = s.patched(old, files[0])
			return now, err
		}, o)
		return withWarnings(plan, warnings), err
	})
}

// patched is old with the patch applied. Problems that are not warnings are
// the error.
func (s *Server) patched(old *resource.Resource, patch file) (*resource.Resource, resource.Problems, error) {
	now, problems := s.cfg.Decoder.ApplyPatch(old, patch.data)
	for i := range problems {
		problems[i].File = patch.name
	}
	if refused(problems) {
		return nil, nil, problems
	}
	return now, problems, nil
}

// refused reports whether any problem is more than a warning.
func refused(problems resource.Problems) bool {
	for _, p := range problems {
		if !p.Warning {
			return true
		}
	}
	return false
}
