package api

import (
	"net/http"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
)

// Shape is the JSON of how a route configuration goes out to Envoys that can
// take it in parts.
type Shape struct {
	Namespace string `json:"namespace"`
	deltaplane.TableShape
	Found *FoundShard `json:"found,omitempty"` // if a host was asked for, and the table is split
}

// FoundShard is the shard that serves a request.
type FoundShard struct {
	Host string `json:"host"`
	Path string `json:"path"`
	ID   uint32 `json:"id"`
	Name string `json:"name"`
}

func (s *Server) explainShape(w http.ResponseWriter, r *http.Request) error {
	q := &query{values: r.URL.Query()}
	namespace, host, path := q.text("namespace", deltaplane.DefaultNamespace), q.text("host", ""), q.text("path", "/")
	snapshot, err := s.snapshot(r, q)
	if err != nil {
		return err
	}
	key := deltaplane.Key{Namespace: namespace, Type: resource.Route, Name: r.PathValue("name")}
	table, err := snapshot.Explain(key, q.text("fleet", ""))
	if err != nil {
		return err
	}
	answer := Shape{Namespace: namespace, TableShape: table}
	if id, ok := table.Find(host, path); ok && q.values.Has("host") {
		answer.Found = &FoundShard{host, path, id, shape.Name(key.Name, id)}
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}
