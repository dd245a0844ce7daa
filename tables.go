package deltaplane

import (
	"iter"
	"slices"
	"time"

	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
)

// tables decides how route configurations are split. A split changes in the
// commit that makes it unfit and in no other, and is stored with the table, so
// that each replica, now and after a restart, serves the same. For the store's
// writer alone; what it remembers only saves work.
type tables struct {
	drain time.Duration // for how long leaves outlive listeners that lead to them
	byKey map[Key]*table

	fleets     fleetWishes // those of the tree with this hash of them
	fleetsHash radix.Hash
}

// maxTables is of how many route configurations something is remembered. One
// that has been forgotten is counted anew at its next change.
const maxTables = 10_000

// leafBits keeps the leaves of a table that comes back apart from those that
// it had before it went: they are numbered from its version on.
const leafBits = 12

// settle is tree, which follows base, with splits that fit. version and now
// are those of the commit.
// Cost: O(changes and fleets) for tables that are known; O(hosts) at first;
// O(table) when it is split differently.
func (t *tables) settle(base, tree radix.Tree[*Entry], version Version, now time.Time) radix.Tree[*Entry] {
	at := shape.Moment{Now: now, Drain: t.drain}
	before := wishes{base, t.fleetsIn(base)}
	tree = succeed(tree, before.fleets, t.fleetsIn(tree), version, at)
	after := wishes{tree, t.fleetsIn(tree)}
	x := tree.Txn()
	for k := range touchedTables(base, tree, before, after) {
		e, ok := tree.Get(k.Path())
		if !ok {
			delete(t.byKey, k)
			continue
		}
		s := settlement{
			key: k, entry: e, before: before.of(k), wish: after.of(k), base: base, tree: tree, version: version, at: at,
		}
		if splits := t.splits(&s); !slices.Equal(splits, e.Splits) {
			changed := *e
			changed.Splits = splits
			x.Put(k.Path(), changed.sealed())
		}
	}
	return x.Commit()
}

// fleetsIn are those of a tree, read again only when they are not those of the
// tree that it was called with last.
func (t *tables) fleetsIn(tree radix.Tree[*Entry]) fleetWishes {
	if hash := tree.PrefixHash(TypePrefix("", resource.Fleet)); t.fleets == nil || hash != t.fleetsHash {
		t.fleets, t.fleetsHash = fleetsIn(tree), hash
	}
	return t.fleets
}

// touchedTables are the route configurations that differ, and those of which
// users say something else.
func touchedTables(base, tree radix.Tree[*Entry], before, after wishes) map[Key]bool {
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
	if fleets {
		for path := range tree.All() {
			if k := KeyOf(path); k.Type == resource.Route && !before.of(k).equal(after.of(k)) {
				touched[k] = true
			}
		}
	}
	return touched
}

// table is what is remembered of one route configuration, so that the next
// commit need not look at all of its hosts.
type table struct {
	hosts radix.Hash // of those that tallies count
	parts []division
}

// division is one split of a table, or what stands for all of them while the
// table has never had any.
type division struct {
	split *shape.Split
	tally *shape.Tally
}

// known is what is remembered of the table of s, brought up to its tree.
func (t *tables) known(s *settlement) *table {
	prefix := TypePrefix(s.key.Namespace, resource.VirtualHost) + s.key.Name + "/"
	one := t.byKey[s.key]
	if one != nil && one.hosts == s.base.PrefixHash(prefix) {
		for _, d := range one.parts {
			d.tally.Shell(s.entry.Resource)
		}
		for c := range radix.DiffPrefix(s.base, s.tree, prefix) {
			if owner, ok := RouteOf(KeyOf(c.Key)); ok && owner == s.key {
				for _, d := range one.parts {
					d.tally.Change(resourceOf(c.Old), resourceOf(c.New))
				}
			}
		}
	} else {
		if t.byKey == nil || len(t.byKey) >= maxTables {
			t.byKey = map[Key]*table{}
		}
		one = &table{}
		t.byKey[s.key] = one
	}
	one.hosts = s.tree.PrefixHash(prefix)
	return one
}

// tally is that of a split of the table of s, remembered or made.
// Cost: O(hosts) for one that is made.
func (one *table) tally(s *settlement, split *shape.Split) *shape.Tally {
	for _, d := range one.parts {
		if d.split == split || s.blank(d.split) && s.blank(split) {
			return d.tally
		}
	}
	return shape.Count(split, s.entry.Resource, s.hosts())
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
