package radix

import (
	"iter"

	"github.com/deltaplane/deltaplane/internal/invariant"
)

// Change is one key that differs: added without Old, removed without New.
type Change[V Value] struct {
	Key            string
	Old, New       V
	HasOld, HasNew bool
}

// Diff lists what turns a into b, ascending by key. It is evaluated as the
// loop goes on, and may be run more than once.
// Cost: changed leaves times depth; equal hashes stop the walk.
// INVARIANT: a.Apply(Diff(a, b)) has b's hash.
func Diff[V Value](a, b Tree[V]) iter.Seq[Change[V]] { return DiffPrefix(a, b, "") }

// DiffPrefix is Diff of the keys that start with p, at the cost of the changes
// under p alone.
func DiffPrefix[V Value](a, b Tree[V], p string) iter.Seq[Change[V]] {
	return func(yield func(Change[V]) bool) {
		if invariant.Enabled {
			checkDiff(a, b, p)
		}
		d := differ[V]{path: []byte(p), yield: yield}
		d.walk(a.seek(p), b.seek(p))
	}
}

// Apply is t after the changes: each key with New is put, each without is
// deleted. Cost: one Txn.
func (t Tree[V]) Apply(changes iter.Seq[Change[V]]) Tree[V] {
	x := t.Txn()
	for c := range changes {
		if c.HasNew {
			x.Put(c.Key, c.New)
		} else {
			x.Delete(c.Key)
		}
	}
	return x.Commit()
}

// checkDiff panics unless the difference under p leads from a to b.
func checkDiff[V Value](a, b Tree[V], p string) {
	got := a.Apply(func(yield func(Change[V]) bool) {
		d := differ[V]{path: []byte(p), yield: yield}
		d.walk(a.seek(p), b.seek(p))
	})
	invariant.Check(got.PrefixHash(p) == b.PrefixHash(p), "difference under %q does not lead to the new tree", p)
}

// differ is one walk through two trees at once.
type differ[V Value] struct {
	yield   func(Change[V]) bool
	path    []byte // of the place where the walk is
	visited int    // pairs of places compared
}

// walk yields what differs under two places with the same path.
// It reports whether to go on.
func (d *differ[V]) walk(a, b cursor[V]) bool {
	d.visited++
	if a.rest == b.rest && (a.node == b.node || a.node != nil && b.node != nil && a.node.hash == b.node.hash) {
		return true
	}
	defer func(n int) { d.path = d.path[:n] }(len(d.path))
	switch {
	case a.node == nil:
		d.descend(&b, len(b.rest))
	case b.node == nil:
		d.descend(&a, len(a.rest))
	default:
		l := commonPrefix(a.rest, b.rest)
		d.descend(&a, l)
		b = b.advance(l)
	}
	return d.here(a, b) && d.below(a, b)
}

// descend moves c and the path down by l bytes.
func (d *differ[V]) descend(c *cursor[V], l int) {
	d.path = append(d.path, c.rest[:l]...)
	*c = c.advance(l)
}

// here yields the difference of the values at two places.
func (d *differ[V]) here(a, b cursor[V]) bool {
	old, hasOld := a.value()
	v, hasNew := b.value()
	if !hasOld && !hasNew || hasOld && hasNew && old.Sum() == v.Sum() {
		return true
	}
	return d.yield(Change[V]{string(d.path), old, v, hasOld, hasNew})
}

// below merges the children of two places by their first byte.
func (d *differ[V]) below(a, b cursor[V]) bool {
	var none cursor[V]
	for i, j := 0, 0; i < a.fanout() || j < b.fanout(); {
		x, y := none, none
		if i < a.fanout() {
			x = a.child(i)
		}
		if j < b.fanout() {
			y = b.child(j)
		}
		if x.node != nil && y.node != nil && x.rest[0] != y.rest[0] {
			if x.rest[0] < y.rest[0] {
				y = none
			} else {
				x = none
			}
		}
		if x.node != nil {
			i++
		}
		if y.node != nil {
			j++
		}
		if !d.walk(x, y) {
			return false
		}
	}
	return true
}
