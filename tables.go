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
	touched := map[Key]bool{}
	for c := range radix.Diff(base, tree) {
		k := KeyOf(c.Key)
		if route, ok := RouteOf(k); ok {
			k = route
		}
		if k.Type == resource.Route {
			touched[k] = true
		}
	}
	x := tree.Txn()
	for k := range touched {
		e, ok := tree.Get(k.Path())
		if !ok {
			delete(t.byKey, k)
			continue
		}
		if split := t.split(k, e, base, tree, version, now); split != e.Split {
			changed := *e
			changed.Split = split
			x.Put(k.Path(), changed.sealed())
		}
	}
	return x.Commit()
}

// split is how the table at k, whose shell is e, is split from now on; nil if
// it never was.
func (t *tables) split(k Key, e *Entry, base, tree radix.Tree[*Entry], version Version, now time.Time) *shape.Split {
	one := t.known(k, e, base, tree, version)
	if one.tally.Due() {
		one.split = one.tally.Resplit(resourcesOf(tree, k), now)
		one.tally = shape.Count(one.split, e.Resource, resourcesOf(tree, k))
		return one.split
	}
	if e.Split == nil {
		return nil
	}
	return one.tally.Resplit(resourcesOf(tree, k), now) // which only drops what has been retired for long
}

// known is what is remembered of the table at k, brought up to tree.
func (t *tables) known(k Key, e *Entry, base, tree radix.Tree[*Entry], version Version) *table {
	prefix := TypePrefix(k.Namespace, resource.VirtualHost) + k.Name + "/"
	one := t.byKey[k]
	if one != nil && one.hosts == base.PrefixHash(prefix) && (one.split == e.Split || e.Split == nil) {
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
			one.split = &shape.Split{Options: shape.Defaults(), Next: uint32(version) << leafBits}
		}
		one.tally = shape.Count(one.split, e.Resource, resourcesOf(tree, k))
		t.byKey[k] = one
	}
	one.hosts = tree.PrefixHash(prefix)
	return one
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
