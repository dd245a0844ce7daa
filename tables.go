package deltaplane

import (
	"iter"
	"time"

	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
)

// tables decides how route configurations are split. A split changes in the
// commit that makes it unfit and in no other, and is stored with it, so that
// each replica, now and after a restart, serves the same. For the store's
// writer alone; what it remembers only saves work.
type tables struct {
	drain time.Duration // for how long leaves outlive listeners that lead to them
	byKey map[Key]*table
}

// table is what is remembered of one route configuration, so that the next
// commit need not look at all of its hosts.
type table struct {
	hosts radix.Hash // of those that tally counts
	split *shape.Split
	tally *shape.Tally
}

// maxTables is of how many route configurations something is remembered. One
// that has been forgotten is counted anew at its next change.
const maxTables = 10_000

// leafBits keeps the leaves of a table that comes back apart from those that
// it had before it went: they are numbered from its version on.
const leafBits = 12

// settle is tree, which follows base, with splits that fit. version and now
// are those of the commit.
// Cost: O(changes) for a table that is known; O(hosts) at first; O(table) when
// it is split differently.
func (t *tables) settle(base, tree radix.Tree[*Entry], version Version, now time.Time) radix.Tree[*Entry] {
	wishes, at := wishesIn(tree), shape.Moment{Now: now, Drain: t.drain}
	x := tree.Txn()
	for k := range touchedTables(base, tree) {
		e, ok := tree.Get(k.Path())
		if !ok {
			delete(t.byKey, k)
			continue
		}
		if split := t.split(k, e, wishes.of(k), base, tree, version, at); split != e.Split {
			changed := *e
			changed.Split = split
			x.Put(k.Path(), changed.sealed())
		}
	}
	return x.Commit()
}

// touchedTables are the route configurations that differ, and those of which
// users say something else.
func touchedTables(base, tree radix.Tree[*Entry]) map[Key]bool {
	touched := map[Key]bool{}
	fleets := false
	for c := range radix.Diff(base, tree) {
		k := KeyOf(c.Key)
		switch k.Type {
		case resource.VirtualHost:
			k, _ = RouteOf(k)
		case resource.Shape:
			k.Type = resource.Route
		case resource.Fleet:
			fleets = true
		}
		if k.Type == resource.Route {
			touched[k] = true
		}
	}
	if before, after := wishesIn(base), wishesIn(tree); fleets {
		for path := range tree.All() {
			if k := KeyOf(path); k.Type == resource.Route && before.of(k) != after.of(k) {
				touched[k] = true
			}
		}
	}
	return touched
}

// split is how the table at k, whose shell is e, is split from now on; nil if
// it never was.
func (t *tables) split(k Key, e *Entry, w wish, base, tree radix.Tree[*Entry], version Version, at shape.Moment) *shape.Split {
	one := t.known(k, e, w, base, tree, version)
	split := one.split
	switch {
	case w.off && len(split.Leaves) > 0:
		split = split.Retire(w.Options, at)
	case w.off:
		split = split.Expire(at)
	case split.Options != w.Options && e.Split != nil:
		split, _ = split.Renew(e.Resource, resourcesOf(tree, k), w.Options, at)
	case one.tally.Due():
		split = one.tally.Resplit(resourcesOf(tree, k), at)
	default:
		split = split.Expire(at)
	}
	if split == one.split {
		return e.Split
	}
	one.split, one.tally = split, shape.Count(split, e.Resource, resourcesOf(tree, k))
	return split
}

// known is what is remembered of the table at k, brought up to tree.
func (t *tables) known(k Key, e *Entry, w wish, base, tree radix.Tree[*Entry], version Version) *table {
	prefix := TypePrefix(k.Namespace, resource.VirtualHost) + k.Name + "/"
	one := t.byKey[k]
	if one != nil && one.hosts == base.PrefixHash(prefix) && one.fits(e, w) {
		one.tally.Shell(e.Resource)
		for c := range radix.DiffPrefix(base, tree, prefix) {
			if owner, ok := RouteOf(KeyOf(c.Key)); ok && owner == k {
				one.tally.Change(resourceOf(c.Old), resourceOf(c.New))
			}
		}
	} else {
		if t.byKey == nil || len(t.byKey) >= maxTables {
			t.byKey = map[Key]*table{}
		}
		one = &table{split: e.Split}
		if one.split == nil {
			one.split = &shape.Split{Options: w.Options, Next: uint32(version) << leafBits}
		}
		one.tally = shape.Count(one.split, e.Resource, resourcesOf(tree, k))
		t.byKey[k] = one
	}
	one.hosts = tree.PrefixHash(prefix)
	return one
}

// fits reports whether one is of a table that is split as e is.
func (one *table) fits(e *Entry, w wish) bool {
	if e.Split == nil {
		return len(one.split.Leaves)+len(one.split.Retired) == 0 && one.split.Options == w.Options
	}
	return one.split == e.Split
}

func resourceOf(e *Entry) *resource.Resource {
	if e == nil {
		return nil
	}
	return e.Resource
}

// resourcesOf are the hosts of the route configuration at k.
func resourcesOf(tree radix.Tree[*Entry], k Key) iter.Seq[*resource.Resource] {
	return func(yield func(*resource.Resource) bool) {
		for _, h := range hostsOf(tree, k) {
			if !yield(h.Resource) {
				return
			}
		}
	}
}
