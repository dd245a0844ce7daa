package deltaplane

import (
	"fmt"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
)

// TableShape is how a route configuration goes out to Envoys that can take it
// in parts.
type TableShape struct {
	shape.Explanation
	Cost shape.Cost    `json:"cost"`
	Uses []ListenerUse `json:"uses"` // by listeners of the same namespace
}

// ListenerUse is one place where a listener routes by a table.
type ListenerUse struct {
	Listener string `json:"listener"`
	Where    string `json:"where"`          // its filter chain
	Left     string `json:"left,omitempty"` // why it has the table as written
}

// Explain tells how the route configuration at k goes out: ErrNotFound without
// one.
// Cost: O(table), and O(listeners of the namespace).
func (s *Snapshot) Explain(k Key) (TableShape, error) {
	e, ok := s.Get(k)
	if !ok {
		return TableShape{}, fmt.Errorf("%s: %w", k, ErrNotFound)
	}
	t := TableShape{Explanation: e.Split.Explain(e.Resource, resourcesOf(s.tree, k)), Uses: []ListenerUse{}}
	scoped := false
	for range s.List(k.Namespace, resource.ScopedRoute) {
		scoped = true
	}
	switch {
	case wishesIn(s.tree).of(k).off:
		t.Whole = "its Shape says so"
	case t.Whole == "" && scoped:
		t.Whole = "the namespace has scoped routes of its own, and Envoy keeps all scopes together"
	}
	for l, entry := range s.List(k.Namespace, resource.Listener) {
		_, uses := shape.Listener(entry.Resource, func(string) *shape.Split { return e.Split })
		for _, use := range uses {
			if use.Table == k.Name {
				t.Uses = append(t.Uses, ListenerUse{l.Name, use.Where, use.Left})
			}
		}
	}
	t.Cost = shape.CostOf(t.Explanation)
	return t, nil
}
