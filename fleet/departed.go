package fleet

import (
	"container/list"
	"iter"
	"time"
)

// departed lists nodes without streams, longest gone first. The zero value is
// empty. Its owner's lock guards it.
type departed struct{ order list.List }

// add puts a node at the end.
func (d *departed) add(n *node, now time.Time) {
	d.remove(n)
	n.goneAt = now
	n.departure = d.order.PushBack(n)
}

// remove takes a node out, if it is there.
func (d *departed) remove(n *node) {
	if n.departure != nil {
		d.order.Remove(n.departure)
		n.departure = nil
	}
}

// expire takes out and yields those gone since before or at a time, and the
// longest gone beyond a number.
func (d *departed) expire(before time.Time, limit int) iter.Seq[*node] {
	return func(yield func(*node) bool) {
		for front := d.order.Front(); front != nil; front = d.order.Front() {
			n := front.Value.(*node)
			if d.order.Len() <= limit && n.goneAt.After(before) {
				return
			}
			d.remove(n)
			if !yield(n) {
				return
			}
		}
	}
}
