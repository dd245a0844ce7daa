package api

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
)

// Resource is the JSON of one stored resource.
type Resource struct {
	Namespace string             `json:"namespace"`
	Type      string             `json:"type"`
	Name      string             `json:"name"`
	Owner     string             `json:"owner"`
	Since     deltaplane.Version `json:"since"` // the commit that gave it this content
	Bytes     int                `json:"bytes"`
	Hosts     int                `json:"hosts,omitempty"`   // inside a route configuration
	Content   json.RawMessage    `json:"content,omitempty"` // Envoy's JSON with @type; secrets masked
}

// Resources is a page of what is stored, by namespace, type and name.
type Resources struct {
	Version   deltaplane.Version `json:"version"`
	Resources []Resource         `json:"resources"`
	Next      string             `json:"next,omitempty"` // ?after of the next page
}

// contentOfPage ends a page with content, in bytes of canonical form.
const contentOfPage = 4 << 20

// listResources lists, with ?content also what the resources hold. A virtual
// host that stands inside its route configuration is counted there, unless
// virtual hosts are asked for.
func (s *Server) listResources(w http.ResponseWriter, r *http.Request) error {
	q := &query{values: r.URL.Query()}
	namespace, kind, after, limit := q.text("namespace", ""), q.text("type", ""), q.text("after", ""), q.limit()
	content := q.flag("content")
	snapshot, err := s.snapshot(r, q)
	if err != nil {
		return err
	}
	var only resource.Type
	if kind != "" {
		if only, err = resource.ParseType(kind); err != nil {
			return badRequest(err.Error())
		}
	}
	prefix := ""
	if namespace != "" && only != resource.Fleet {
		prefix = deltaplane.NamespacePrefix(namespace)
	}
	start, err := afterPath(after)
	if err != nil {
		return err
	}
	page := Resources{Version: snapshot.Version(), Resources: []Resource{}}
	last, size := "", 0
	for path, e := range snapshot.Tree().Prefix(prefix) {
		k := deltaplane.KeyOf(path)
		if path <= start && start != "" || only != "" && k.Type != only || only == "" && e.Inline {
			continue
		}
		if len(page.Resources) == limit || size > contentOfPage {
			page.Next = last
			break
		}
		described := describe(snapshot, k, e)
		if content {
			size += described.Bytes
			if described.Content, err = resource.ToJSON(wholeOf(snapshot, k, e), true); err != nil {
				return err
			}
		}
		page.Resources, last = append(page.Resources, described), strings.ReplaceAll(path, "\x00", "|")
	}
	writeJSON(w, http.StatusOK, page)
	return nil
}

// afterPath turns the cursor "namespace|type|name" back into a path. Names may
// hold "|", namespaces and types don't.
func afterPath(cursor string) (string, error) {
	if cursor == "" {
		return "", nil
	}
	parts := strings.SplitN(cursor, "|", 3)
	if len(parts) != 3 {
		return "", badRequest(`query parameter "after": expected the "next" of an earlier page`)
	}
	return strings.Join(parts, "\x00"), nil
}

// getResource answers with content: as JSON, or with ?format=yaml as a file
// that apply takes.
func (s *Server) getResource(w http.ResponseWriter, r *http.Request) error {
	q := &query{values: r.URL.Query()}
	namespace, format := q.text("namespace", deltaplane.DefaultNamespace), q.text("format", "json")
	if format != "json" && format != "yaml" {
		q.wrong("format", "json or yaml")
	}
	snapshot, err := s.snapshot(r, q)
	if err != nil {
		return err
	}
	key, err := pathKey(r, namespace)
	if err != nil {
		return err
	}
	e, ok := snapshot.Get(key)
	if !ok {
		return fmt.Errorf("%s: %w", key, deltaplane.ErrNotFound)
	}
	whole := wholeOf(snapshot, key, e)
	if format == "yaml" {
		text, err := resource.ToYAML(whole, true)
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/yaml")
		_, _ = w.Write(text) // an error means that the client is gone
		return nil
	}
	described := describe(snapshot, key, e)
	if described.Content, err = resource.ToJSON(whole, true); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, described)
	return nil
}

// snapshot is the store at ?version, or the newest.
func (s *Server) snapshot(r *http.Request, q *query) (*deltaplane.Snapshot, error) {
	at := q.number("version", 0)
	if q.err != nil {
		return nil, q.err
	}
	if !q.values.Has("version") {
		return s.cfg.Store.Latest(), nil
	}
	return s.at(r.Context(), deltaplane.Version(at))
}

func describe(snapshot *deltaplane.Snapshot, k deltaplane.Key, e *deltaplane.Entry) Resource {
	r := Resource{Namespace: k.Namespace, Type: k.Type.Short(), Name: k.Name, Owner: e.Owner, Since: e.Since, Bytes: e.Resource.Size()}
	if k.Type != resource.Route {
		return r
	}
	for _, host := range inlineHosts(snapshot, k) {
		r.Hosts++
		r.Bytes += host.Resource.Size()
		r.Since = max(r.Since, host.Since)
	}
	return r
}

// inlineHosts are the virtual hosts inside a route configuration, by name.
func inlineHosts(snapshot *deltaplane.Snapshot, route deltaplane.Key) []*deltaplane.Entry {
	var hosts []*deltaplane.Entry
	prefix := deltaplane.TypePrefix(route.Namespace, resource.VirtualHost) + route.Name + "/"
	for path, e := range snapshot.Tree().Prefix(prefix) {
		if e.Inline && !strings.Contains(path[len(prefix):], "/") {
			hosts = append(hosts, e)
		}
	}
	return hosts
}

// wholeOf is the resource as it was applied: a route configuration with the
// hosts that stand inside it.
// Cost: a copy of the bytes of a route configuration; none for other types.
func wholeOf(snapshot *deltaplane.Snapshot, k deltaplane.Key, e *deltaplane.Entry) *resource.Resource {
	if k.Type != resource.Route {
		return e.Resource
	}
	var hosts []*resource.Resource
	for _, host := range inlineHosts(snapshot, k) {
		hosts = append(hosts, host.Resource)
	}
	joined := resource.JoinHosts(e.Resource, hosts)
	digest := resource.Digest(sha256.Sum256(joined))
	return resource.FromStored(k.Type, k.Name, digest, 0, []resource.Segment{{Digest: digest, Bytes: joined}}).WithTTL(e.Resource.TTL())
}
