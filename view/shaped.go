package view

import (
	"maps"
	"slices"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
)

// This file derives what Envoys get that can take large route tables in
// parts (package shape): everything that others get, too, and for each split
// table one route configuration and one scope for each leaf, and the listeners
// that lead there. A table itself stays, for those who ask for it by name.
//
// Where somebody has scopes of their own, all is served as written: Envoy
// keeps all scopes together, and a client could reach the leaves of a table
// through a listener that takes its key from a request.

// splitTable is a table that is served in parts.
type splitTable struct {
	namespace string
	shell     *resource.Resource
	split     *shape.Split   // what leads the view's clients, with what they may still drain from
	of        []*shape.Split // what split was made of
}

// NewShaped is the view of namespaces in s for Envoys that take large route
// tables in parts. Cost: O(resources in them).
func NewShaped(s *deltaplane.Snapshot, namespaces []string) *View {
	return NewShapedBy(s, namespaces, deltaplane.DefaultShaping())
}

// NewShapedBy is NewShaped for a fleet that says how it wants large tables.
func NewShapedBy(s *deltaplane.Snapshot, namespaces []string, by deltaplane.Shaping) *View {
	empty := &View{snapshot: &deltaplane.Snapshot{}, namespaces: namespaces}
	shaped := &View{snapshot: empty.snapshot, namespaces: namespaces, whole: empty, by: by}
	return shaped.At(s)
}

// Shaped reports whether large tables are in parts in v.
func (v *View) Shaped() bool { return v.whole != nil }

// shaping is the way from one shaped view to the next.
type shaping struct {
	old, next *View
	routes    *radix.Txn[*Resource]
	scopes    *radix.Txn[*Resource]
	listeners *radix.Txn[*Resource]
	inside    *radix.Txn[*Resource]
	split     map[string]splitTable
	turned    map[string]bool // tables to which listeners lead differently
}

// reshape is the shaped view that follows v and is of whole.
// Cost: O(changes); O(table) when its split or its shell changed.
func (v *View) reshape(whole *View) *View {
	next := &View{
		snapshot: whole.snapshot, namespaces: whole.namespaces, whole: whole,
		tables: whole.tables, mortal: whole.mortal, domains: whole.domains, inside: v.inside, split: v.split, by: v.by,
	}
	s := &shaping{old: v, next: next, inside: v.inside.Txn(), turned: map[string]bool{}}
	s.routes = s.carry(resource.Route)
	s.scopes = s.carry(resource.ScopedRoute)
	s.listeners = s.carry(resource.Listener)
	for table, hosts := range s.touched() {
		s.table(table, hosts)
	}
	next.inside = s.inside.Commit()
	s.lead()
	next.tables = next.tables.over(map[resource.Type]*radix.Txn[*Resource]{
		resource.Route: s.routes, resource.ScopedRoute: s.scopes, resource.Listener: s.listeners,
	})
	return next
}

// carry is the old shaped table of type t with what changed as written.
func (s *shaping) carry(t resource.Type) *radix.Txn[*Resource] {
	x := s.old.tables.of(t).Txn()
	for c := range radix.Diff(s.old.whole.tables.of(t), s.next.whole.tables.of(t)) {
		put(x, c.Key, c.New)
	}
	return x
}

// apart reports whether v's namespaces have scopes of their own.
func apart(whole *View) bool { return whole.tables.of(resource.ScopedRoute).Len() > 0 }

// touched are the route configurations that may differ, each with its hosts
// that do.
func (s *shaping) touched() map[string][]string {
	touched := map[string][]string{}
	for _, namespace := range s.next.namespaces {
		for c := range radix.DiffPrefix(s.old.snapshot.Tree(), s.next.snapshot.Tree(), deltaplane.NamespacePrefix(namespace)) {
			k := deltaplane.KeyOf(c.Key)
			if route, ok := deltaplane.RouteOf(k); ok {
				touched[route.Name] = append(touched[route.Name], k.Name)
			} else if (k.Type == resource.Route || k.Type == resource.Shape) && touched[k.Name] == nil {
				touched[k.Name] = []string{}
			}
		}
	}
	if apart(s.old.whole) != apart(s.next.whole) {
		for name := range s.next.whole.tables.of(resource.Route).All() {
			if touched[name] == nil {
				touched[name] = []string{}
			}
		}
	}
	return touched
}

// table brings the leaves of one table up to date, of which these hosts may
// have changed.
func (s *shaping) table(name string, hosts []string) {
	old, was := s.old.split[name]
	now, is := s.splitOf(name)
	switch {
	case !was && !is:
	case !is:
		s.drop(name, old)
	case !was || old.namespace != now.namespace || !slices.Equal(old.of, now.of) || old.shell.Digest() != now.shell.Digest():
		s.anew(name, old, now)
	default:
		s.update(name, old, hosts)
	}
}

// splitOf is how the table is to be served in parts; ok is false if it is not.
func (s *shaping) splitOf(name string) (t splitTable, ok bool) {
	d := derivation{snapshot: s.next.snapshot, namespaces: s.next.namespaces}
	namespace, e := d.owner(name)
	if e == nil || len(e.Splits) == 0 || apart(s.next.whole) {
		return t, false
	}
	k := deltaplane.Key{Namespace: namespace, Type: resource.Route, Name: name}
	leads, drain := s.next.by.Choose(e.Splits, deltaplane.ShapeAt(s.next.snapshot.Tree(), k) != nil)
	if leads == nil && len(drain) == 0 {
		return t, false
	}
	of := append([]*shape.Split{leads}, drain...)
	if leads == nil {
		leads = &shape.Split{}
	}
	return splitTable{namespace, e.Resource, leads.Inherit(shape.Moment{}, drain...), of}, true
}

// drop removes all leaves of a table that is served as written from now on.
func (s *shaping) drop(name string, old splitTable) {
	old.split.Areas(func(id uint32, _ shape.Area) {
		leaf := shape.Name(name, id)
		s.clear(leaf)
		s.routes.Delete(leaf)
		s.scopes.Delete(leaf)
	})
	s.record(name, splitTable{})
}

// clear removes the hosts of a leaf.
func (s *shaping) clear(leaf string) {
	for key := range s.old.inside.Prefix(shelfOf(leaf)) {
		s.inside.Delete(key)
	}
}

// anew makes all leaves of a table. Those that do not differ keep their
// digests, so that nobody is sent them again.
func (s *shaping) anew(name string, old, now splitTable) {
	if old.split != nil {
		s.drop(name, old)
	}
	d := derivation{snapshot: s.next.snapshot, namespaces: s.next.namespaces}
	for host, e := range d.hosts(now.namespace, name) {
		now.split.Pieces(nil, e.Resource, func(id uint32, piece *resource.Resource) {
			s.inside.Put(shelfOf(shape.Name(name, id))+host, of(piece))
		})
	}
	inside := s.inside.Commit()
	now.split.Areas(func(id uint32, _ shape.Area) {
		leaf := shape.Name(name, id)
		s.routes.Put(leaf, compose(shape.Shell(now.shell, id), inside))
		s.scopes.Put(leaf, of(shape.Scope(name, id)))
	})
	s.record(name, now)
}

// update brings those leaves up to date that have something of the hosts.
func (s *shaping) update(name string, now splitTable, hosts []string) {
	leaves := map[uint32]bool{}
	for _, host := range hosts {
		k := deltaplane.Key{Namespace: now.namespace, Type: resource.VirtualHost, Name: host}
		before, after := entryAt(s.old.snapshot, k), entryAt(s.next.snapshot, k)
		if before == after {
			continue
		}
		now.split.Pieces(before, after, func(id uint32, piece *resource.Resource) {
			leaves[id] = true
			key := shelfOf(shape.Name(name, id)) + host
			if piece == nil {
				s.inside.Delete(key)
			} else {
				s.inside.Put(key, of(piece))
			}
		})
	}
	if len(leaves) == 0 {
		return
	}
	inside := s.inside.Commit()
	for id := range leaves {
		leaf := shape.Name(name, id)
		shell, _ := s.routes.Get(leaf)
		s.routes.Put(leaf, compose(shell.source, inside))
	}
}

// entryAt is the resource at k, nil if there is none.
func entryAt(s *deltaplane.Snapshot, k deltaplane.Key) *resource.Resource {
	e, ok := s.Get(k)
	if !ok {
		return nil
	}
	return e.Resource
}

// record notes how a table is split from now on, not at all without a split,
// and that listeners lead there differently.
func (s *shaping) record(name string, now splitTable) {
	if s.split == nil {
		s.split = maps.Clone(s.next.split)
		if s.split == nil {
			s.split = map[string]splitTable{}
		}
		s.next.split = s.split
	}
	s.turned[name] = true
	if now.split == nil {
		delete(s.split, name)
	} else {
		s.split[name] = now
	}
}

// lead makes the listeners lead to the leaves: those that changed, and those
// of tables that are split differently.
func (s *shaping) lead() {
	again := map[string]*Resource{}
	for c := range radix.Diff(s.old.whole.tables.of(resource.Listener), s.next.whole.tables.of(resource.Listener)) {
		if c.New != nil {
			again[c.Key] = c.New
		}
	}
	if len(s.turned) > 0 {
		for name, l := range s.next.whole.tables.of(resource.Listener).All() {
			if slices.ContainsFunc(shape.Refers(l.source), func(table string) bool { return s.turned[table] }) {
				again[name] = l
			}
		}
	}
	for name, l := range again {
		s.listeners.Put(name, s.listener(l))
	}
}

// listener is l, leading to the leaves of the tables that it refers to.
func (s *shaping) listener(l *Resource) *Resource {
	if l.TTL() > 0 {
		return l
	}
	var leads []string
	made, _ := shape.Listener(l.source, func(table string) *shape.Split {
		t, ok := s.next.split[table]
		if !ok || len(t.split.Leaves) == 0 {
			return nil
		}
		for _, leaf := range t.split.Leaves {
			leads = append(leads, shape.Name(table, leaf.ID))
		}
		return t.split
	})
	if made == l.source {
		return l
	}
	slices.Sort(leads)
	return &Resource{made, &own{digest: made.Digest(), leads: slices.Compact(leads)}}
}
