package api

import (
	"net/http"

	"github.com/deltaplane/deltaplane"
)

// Blame is the JSON of who last changed each part of a resource.
type Blame struct {
	Namespace string      `json:"namespace"`
	Type      string      `json:"type"`
	Name      string      `json:"name"`
	Lines     []BlameLine `json:"lines"`
}

// BlameLine is one part; Path is "" for the resource itself.
type BlameLine struct {
	Path   string `json:"path"`
	Commit Commit `json:"commit"`
}

func (s *Server) blame(w http.ResponseWriter, r *http.Request) error {
	q := &query{values: r.URL.Query()}
	namespace := q.text("namespace", deltaplane.DefaultNamespace)
	if q.err != nil {
		return q.err
	}
	key, err := pathKey(r, namespace)
	if err != nil {
		return err
	}
	lines, err := s.cfg.Store.Blame(r.Context(), key)
	if err != nil {
		return err
	}
	answer := Blame{key.Namespace, key.Type.Short(), key.Name, make([]BlameLine, len(lines))}
	for i, line := range lines {
		answer.Lines[i] = BlameLine{line.Path, commitOf(line.Commit, false)}
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}
