package fleet

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/deltaplane/deltaplane"
)

// Why Wait gave up before its context ended; use errors.Is.
var (
	ErrRefused   = errors.New("refused by a proxy")
	ErrLost      = errors.New("a proxy disconnected and did not come back")
	ErrUntracked = errors.New("more streams are open than are tracked; raise the limit")
)

// Wait returns when every proxy that is connected now has at some moment held
// all that it subscribes to as of version or later.
//
// It returns early with those that do not, each with the reason in its status:
// at once with ErrRefused when one has refused a response of that version or a
// later one, or still refuses what that version does not change; with ErrLost when only proxies are left that lost all of their
// streams and did not come back within Config.Grace; with ctx's error when ctx
// ends; with ErrUntracked when it cannot speak for all streams.
// A proxy that comes back in time is waited for, on its new streams, for the
// types that it subscribed to before. Not waited for are proxies that connect
// later, and retained ones: they keep what they have.
//
// It is driven by events and costs O(connected proxies) at start and end.
func (f *Fleet) Wait(ctx context.Context, version deltaplane.Version) ([]NodeStatus, error) {
	w := &wait{version: version, grace: f.cfg.Grace, done: make(chan struct{}), refused: make(chan struct{}, 1), lost: make(chan struct{}, 1)}
	w.remaining.Store(1) // for the registration itself
	f.waits.Add(1)       // before any node is looked at
	defer f.waits.Add(-1)
	for _, n := range f.known() {
		w.register(n)
	}
	w.drop()
	cause := w.run(ctx)
	laggards := w.end(f.latest())
	f.mu.RLock()
	untracked := f.untracked
	f.mu.RUnlock()
	switch {
	case len(laggards) > 0 && cause == nil:
		cause = ErrLost
	case len(laggards) == 0:
		cause = nil
	}
	if cause == nil && untracked > 0 {
		cause = ErrUntracked
	}
	if cause != nil {
		who := fmt.Sprintf("%d proxies", len(laggards))
		if len(laggards) == 1 {
			who = "1 proxy"
		}
		return laggards, fmt.Errorf("version %d is not held by %s: %w", version, who, cause)
	}
	return nil, nil
}

// wait is one call of Wait.
type wait struct {
	version deltaplane.Version
	grace   time.Duration
	nodes   []*node // with a ticket of this wait at first; touched only by Wait

	remaining atomic.Int64  // tickets neither settled nor lost
	done      chan struct{} // closes when remaining falls to zero
	refused   chan struct{} // one token: somebody refused
	lost      chan struct{} // one token: somebody disconnected
}

// drop takes one from remaining.
func (w *wait) drop() {
	if w.remaining.Add(-1) == 0 {
		close(w.done)
	}
}

// register hands n a ticket, unless it is settled already.
func (w *wait) register(n *node) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.streams) == 0 {
		return
	}
	w.remaining.Add(1)
	w.nodes = append(w.nodes, n)
	n.tickets = append(n.tickets, &ticket{wait: w, need: n.subscribedLocked()})
	n.settleLocked()
}

// run blocks until all are settled or it is known that they will not be.
func (w *wait) run(ctx context.Context) error {
	grace := time.NewTimer(0)
	grace.Stop()
	defer grace.Stop()
	for {
		select {
		case <-w.done:
			return nil
		case <-w.refused:
			return ErrRefused
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-w.lost:
			grace.Reset(w.giveUp(time.Now()))
		case now := <-grace.C:
			if next := w.giveUp(now); next > 0 {
				grace.Reset(next)
			}
		}
	}
}

// giveUp stops waiting for those that are away for the grace period. It
// returns the time until the next one is, or 0.
func (w *wait) giveUp(now time.Time) time.Duration {
	var next time.Duration
	for _, n := range w.nodes {
		n.mu.Lock()
		if t := n.ticketLocked(w); t != nil && !t.lost && len(n.streams) == 0 {
			left := t.away.Add(w.grace).Sub(now)
			if left <= 0 {
				t.lost = true
				w.drop()
			} else if next == 0 || left < next {
				next = left
			}
		}
		n.mu.Unlock()
	}
	return next
}

// end takes all tickets back and lists the nodes that still had one.
func (w *wait) end(latest deltaplane.Version) []NodeStatus {
	var laggards []NodeStatus
	for _, n := range w.nodes {
		n.mu.Lock()
		if t := n.ticketLocked(w); t != nil {
			n.returnLocked(t)
			laggards = append(laggards, n.statusLocked(latest))
		}
		n.mu.Unlock()
	}
	return laggards
}
