package xds

import (
	"sync/atomic"
	"time"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/view"
)

// This file lets streams rest. A stream whose client has all that it is to
// have, and for which nothing else is to be done, need not be looked at until
// its view changes, however many versions go by that do not change the view:
// such versions cost the same whether ten streams rest or ten thousand. What a
// stream at rest holds is said once for all of one view.

// Rest is how far what a stream at rest holds has come. It is shared by
// streams; any goroutine may call.
type Rest interface {
	// Reached is the newest version as of which the client holds all that it
	// subscribes to, and when it was out. It only grows.
	Reached() (version deltaplane.Version, since time.Time)
}

// calm is where the streams rest that are shown what one shelf has, for as long
// as that stays as it is.
type calm struct {
	reached atomic.Pointer[reach]

	// Guarded by roster.mu.
	streams link // at rest
	over    bool // the shelf has something else: nobody comes to rest here any more
}

// reach is how far a calm has come.
type reach struct {
	view  *view.View // of the newest version; they all serve the same
	since time.Time
}

func newCalm(at *reach) *calm {
	c := &calm{}
	c.reached.Store(at)
	c.streams.reset()
	return c
}

// Reached implements Rest.
func (c *calm) Reached() (deltaplane.Version, time.Time) {
	r := c.reached.Load()
	return r.view.Version(), r.since
}

// link is a stream's place in a ring of them, or the head of one.
type link struct {
	prev, next *link
	stream     *stream // nil: the head
}

// reset makes l the head of an empty ring.
func (l *link) reset() { l.prev, l.next = l, l }

// add puts m into l's ring.
func (l *link) add(m *link) {
	m.prev, m.next = l, l.next
	l.next.prev, l.next = m, m
}

// remove takes l out of its ring.
func (l *link) remove() {
	l.prev.next, l.next.prev = l.next, l.prev
	l.reset()
}

// take moves all of m's ring to the end of l's. Cost: O(1).
func (l *link) take(m *link) {
	if m.next == m {
		return
	}
	first, last := m.next, m.prev
	l.prev.next, first.prev = first, l.prev
	last.next, l.prev = l, last
	m.reset()
}
