package view

import (
	"slices"
	"time"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/internal/invariant"
	"github.com/deltaplane/deltaplane/resource"
)

// View is all that one ordered list of namespaces serves at one version: of
// each name the last namespace's resource. It is immutable and shared by
// every stream of the assignment.
type View struct {
	snapshot   *deltaplane.Snapshot
	namespaces []string
	tables     tables
	mortal     tables // what of tables has a TTL
	domains    Table  // "<route configuration>/<domain>" → the VirtualHost
	inside     Table  // shelfOf(route configuration) + name → a VirtualHost that is served inside of it

	// Of a shaped view; shaped.go.
	whole *View                 // of the same, but as written; nil: this is it
	by    deltaplane.Shaping    // how its fleet wants tables
	split map[string]splitTable // by the route configuration's name; never changed in place
}

// New is the view of namespaces in s. Cost: O(resources in them).
func New(s *deltaplane.Snapshot, namespaces []string) *View {
	empty := &View{snapshot: &deltaplane.Snapshot{}, namespaces: namespaces}
	return empty.At(s)
}

// Version is the store version that the view shows.
func (v *View) Version() deltaplane.Version { return v.snapshot.Version() }

// Time is when that version was committed.
func (v *View) Time() time.Time { return v.snapshot.Time() }

// Namespaces are what the view is made of; later ones override.
func (v *View) Namespaces() []string { return v.namespaces }

// Table holds everything of one type.
func (v *View) Table(t resource.Type) Table { return v.tables.of(t) }

// Mortal holds everything of one type that has a TTL.
func (v *View) Mortal(t resource.Type) Table { return v.mortal.of(t) }

// At is the view of the same namespaces in another snapshot. Tables that did
// not change are shared. Cost: O(changes), and a copy of each route
// configuration that a change touches once someone needs its bytes.
// INVARIANT: v.At(s) equals New(s, v.Namespaces()), or NewShapedBy.
func (v *View) At(s *deltaplane.Snapshot) *View {
	if v.whole != nil {
		next := v.reshape(v.whole.At(s))
		if invariant.Enabled && v.Version() > 0 {
			next.check(func(s *deltaplane.Snapshot, namespaces []string) *View { return NewShapedBy(s, namespaces, v.by) })
		}
		return next
	}
	d := derivation{old: v, snapshot: s, namespaces: v.namespaces}
	next := &View{snapshot: s, namespaces: v.namespaces, tables: v.tables, mortal: v.mortal, domains: v.domains, inside: v.inside}
	d.apply(next)
	if invariant.Enabled && v.Version() > 0 {
		next.check(New)
	}
	return next
}

// Same reports whether clients get from o, of the same namespaces, what they
// get from v. Cost: O(types).
func (v *View) Same(o *View) bool {
	for i := range v.tables {
		if v.tables[i].Hash() != o.tables[i].Hash() || v.mortal[i].Hash() != o.mortal[i].Hash() {
			return false
		}
	}
	return true
}

// check panics unless v is what anewOf makes.
func (v *View) check(anewOf func(*deltaplane.Snapshot, []string) *View) {
	anew := anewOf(v.snapshot, v.namespaces)
	for i, t := range resource.Served() {
		invariant.Check(v.tables[i].Hash() == anew.tables[i].Hash(), "view of %q at version %d: table %s differs from one made anew",
			v.namespaces, v.Version(), t.Short())
		invariant.Check(v.mortal[i].Hash() == anew.mortal[i].Hash(), "view of %q at version %d: those of %s with a TTL differ from those found anew",
			v.namespaces, v.Version(), t.Short())
	}
}

// Scope is what sub can name of a type: the whole table, and for virtual
// hosts those that it names by domain, under that name as well. A name is
// resolved as Envoy matches domains: exact, longest suffix wildcard, longest
// prefix wildcard, "*".
// Cost: O(1); for virtual hosts O(names).
func (v *View) Scope(t resource.Type, sub *Subscription) Table {
	table := v.tables.of(t)
	if t != resource.VirtualHost || len(sub.names) == 0 {
		return table
	}
	scope := Table{}.Txn()
	if sub.wildcard {
		scope = table.Txn()
	}
	for _, name := range sub.names {
		host, ok := table.Get(name)
		if !ok {
			host, ok = v.resolve(name)
		}
		if ok {
			scope.Put(name, host)
			scope.Put(host.Name(), host)
		}
	}
	return scope.Commit()
}

// served reports whether clients can subscribe to t.
func served(t resource.Type) bool { return slices.Contains(resource.Served(), t) }
