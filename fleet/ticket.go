package fleet

import (
	"slices"
	"time"
)

// ticket is a wait's interest in one node. The node's mu guards it.
type ticket struct {
	wait *wait
	need slotSet   // types that the node must hold, even on new streams
	away time.Time // when its last stream ended; zero while connected
	lost bool      // given up, but still told of if it settles in time
}

// settleLocked looks at the node after an event on behalf of those who wait.
// n.mu is held.
func (n *node) settleLocked() {
	if len(n.tickets) == 0 {
		return
	}
	n.catchUpLocked()
	for _, t := range slices.Clone(n.tickets) {
		switch {
		case len(n.streams) == 0:
			if t.away.IsZero() {
				t.away = time.Now()
				offer(t.wait.lost)
			}
			continue
		case n.retained || n.holdsLocked(t):
			n.returnLocked(t)
			if !t.lost {
				t.wait.drop()
			}
			continue
		case n.refusesLocked(t):
			offer(t.wait.refused)
		}
		t.away = time.Time{}
	}
}

// holdsLocked reports whether every subscribed type on every stream, and every
// needed type on some stream, is held as of the ticket's version.
func (n *node) holdsLocked(t *ticket) bool {
	need := t.need
	for _, s := range n.streams {
		if s.fresh() {
			return false
		}
		for i, h := range s.holdings {
			if h == nil || !h.subscribed {
				continue
			}
			if h.held < t.wait.version {
				return false
			}
			need = need.without(slot(i))
		}
	}
	return need == 0
}

// refusesLocked reports whether a refusal keeps the node from the ticket's
// version: one of it or of a later one, or an older one which that version did
// not lift, in force, for a type that it does not hold as of it.
func (n *node) refusesLocked(t *ticket) bool {
	for _, s := range n.streams {
		for _, h := range s.holdings {
			if h == nil || !h.subscribed || h.refusal == nil || h.held >= t.wait.version {
				continue
			}
			if max(h.refusal.Version, h.withheld) >= t.wait.version {
				return true
			}
		}
	}
	return false
}

// subscribedLocked is the set of types that any stream subscribes to.
func (n *node) subscribedLocked() slotSet {
	var set slotSet
	for _, s := range n.streams {
		for t, h := range s.holdings {
			if h != nil && h.subscribed {
				set = set.with(slot(t))
			}
		}
	}
	return set
}

// excuseLocked tells those who wait that a type has ended on purpose.
func (n *node) excuseLocked(t slot) {
	for _, ticket := range n.tickets {
		ticket.need = ticket.need.without(t)
	}
}

// ticketLocked finds a wait's ticket, nil when it was returned.
func (n *node) ticketLocked(w *wait) *ticket {
	for _, t := range n.tickets {
		if t.wait == w {
			return t
		}
	}
	return nil
}

func (n *node) returnLocked(t *ticket) {
	n.tickets = slices.DeleteFunc(n.tickets, func(o *ticket) bool { return o == t })
}

// offer puts a token into a channel that has room for one.
func offer(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
