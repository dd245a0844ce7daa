package deltaplane

import (
	"fmt"
	"slices"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
)

// TableShape is how a route configuration goes out to the Envoys of a fleet
// that can take it in parts.
type TableShape struct {
	shape.Explanation
	Fleet  string        `json:"fleet,omitempty"`  // "" without any that receives the table
	Fleets []FleetShape  `json:"fleets,omitempty"` // all that receive it, the one that counts first comes first
	Cost   shape.Cost    `json:"cost"`
	Uses   []ListenerUse `json:"uses"` // by listeners of the same namespace

	split *shape.Split // nil: as written
}

// FleetShape is what a fleet has of a table.
type FleetShape struct {
	Fleet       string  `json:"fleet"`
	Shards      int     `json:"shards"` // that it asks for, as the others are what it asks for
	By          string  `json:"by"`     // host, path, host+path, or best
	Duplication float64 `json:"duplication"`
	Parts       int     `json:"parts"`   // that its listeners lead to; 0: it has the table as written
	Retired     int     `json:"retired"` // parts that are kept for connections that drain
}

// ListenerUse is one place where a listener routes by a table.
type ListenerUse struct {
	Listener string `json:"listener"`
	Where    string `json:"where"`          // its filter chain
	Left     string `json:"left,omitempty"` // why it has the table as written
}

// Find is the part that serves a request; ok is false for a table that goes out
// as written.
func (t *TableShape) Find(host, path string) (id uint32, ok bool) {
	if t.Whole != "" || t.split == nil || len(t.split.Leaves) == 0 {
		return 0, false
	}
	return t.split.Find(host, path), true
}

// Explain tells how the route configuration at k goes out to a fleet; "" is the
// one of the highest priority that receives k's namespace. ErrNotFound without
// a route configuration, or a fleet that receives it.
// Cost: O(table), and O(listeners of the namespace).
func (s *Snapshot) Explain(k Key, fleet string) (TableShape, error) {
	e, ok := s.Get(k)
	if !ok {
		return TableShape{}, fmt.Errorf("%s: %w", k, ErrNotFound)
	}
	fleets := slices.DeleteFunc(fleetsIn(s.tree), func(f fleetWish) bool { return !slices.Contains(f.Namespaces, k.Namespace) })
	of := fleetWish{Shaping: DefaultShaping()}
	if i := slices.IndexFunc(fleets, func(f fleetWish) bool { return fleet == "" || f.Name == fleet }); i >= 0 {
		of = fleets[i]
	} else if fleet != "" {
		return TableShape{}, fmt.Errorf("fleet %q that receives the namespace %q: %w", fleet, k.Namespace, ErrNotFound)
	}
	w := wishes{s.tree, fleets}.of(k)
	split := of.served(e, w.said)
	t := TableShape{Explanation: split.Explain(e.Resource, resourcesOf(s.tree, k)), Uses: []ListenerUse{}, split: split}
	if of.Fleet != nil {
		t.Fleet = of.Name
	}
	for _, f := range fleets {
		if f.entry != nil {
			t.Fleets = append(t.Fleets, f.has(e, w))
		}
	}
	t.Whole = s.whole(k, of, w, t.Whole)
	for l, entry := range s.List(k.Namespace, resource.Listener) {
		_, uses := shape.Listener(entry.Resource, func(string) *shape.Split { return split })
		for _, use := range uses {
			if use.Table == k.Name {
				t.Uses = append(t.Uses, ListenerUse{l.Name, use.Where, use.Left})
			}
		}
	}
	t.Cost = shape.CostOf(t.Explanation)
	return t, nil
}

// whole is why the table at k goes out as written to a fleet, by itself for
// this reason; "" if it does not.
func (s *Snapshot) whole(k Key, of fleetWish, w wish, itself string) string {
	switch {
	case w.off:
		return "its Shape says so"
	case !w.said && len(of.Past) > maxPast:
		return fmt.Sprintf("its fleet was told to have it otherwise so often that %d splits of before are still kept for connections that drain: it will be in parts after the first commit when these have ended", len(of.Past))
	case !w.said && of.AsWritten:
		return "its fleet says so"
	case itself != "":
		return itself
	}
	for range s.List(k.Namespace, resource.ScopedRoute) {
		return "the namespace has scoped routes of its own, and Envoy keeps all scopes together"
	}
	return ""
}

// served is by which split f has the table e, with leaves that drain; nil: it
// has none.
func (f fleetWish) served(e *Entry, said bool) *shape.Split {
	leads, drain := f.Choose(e.Splits, said)
	if leads == nil && len(drain) > 0 {
		leads = &shape.Split{Options: f.Options}
	}
	if leads == nil {
		return nil
	}
	return leads.Inherit(shape.Moment{}, drain...)
}

// has is what f has of the table e.
func (f fleetWish) has(e *Entry, w wish) FleetShape {
	asked := f.Options
	if w.said {
		asked = w.now[0]
	}
	has := FleetShape{Fleet: f.Name, Shards: asked.Shards, By: asked.By.String(), Duplication: asked.Duplication}
	if split := f.served(e, w.said); split != nil {
		has.Parts, has.Retired = len(split.Leaves), len(split.Retired)
	}
	return has
}
