package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/deltaplane/deltaplane/bench/probe"
)

// watching is a change as a load's requests see it. The load's mu guards it.
type watching struct {
	change change
	seen   []probe.Switch // by the requests to each Envoy

	open     bool // requests are made to the route that changes
	underWay int  // of those
	stored   bool // and acknowledged by all Envoys
	begun    bool // before is closed

	before chan struct{} // closed once each Envoy has given an answer as before the change
	after  chan struct{} // closed once each has given none but new ones for changeTail, and nothing is under way
}

func (l *load) startWatching(c change) *watching {
	w := &watching{change: c, seen: make([]probe.Switch, len(l.side.proxies)), open: true, before: make(chan struct{}), after: make(chan struct{})}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watched = w
	return w
}

// watch makes a change under the load, and returns when all Envoys have
// acknowledged it and route by it alone.
func (l *load) watch(ctx context.Context, c change) (watched, error) {
	w := l.startWatching(c)
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.watched = nil
	}()
	if err := wait(ctx, w.before); err != nil {
		return watched{}, fmt.Errorf("no answer as before it: %w", err)
	}
	result := watched{sent: time.Now()}
	var err error
	if result.done, err = l.side.api.commit(ctx, c.call, c.trace); err != nil {
		return result, err
	}
	l.mu.Lock()
	w.stored = true
	l.mu.Unlock()
	err = wait(ctx, w.after)
	l.mu.Lock()
	defer l.mu.Unlock()
	result.seen = w.seen
	return result, err
}

func wait(ctx context.Context, happens <-chan struct{}) error {
	select {
	case <-happens:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// take counts what came of a request to the route that changes.
func (w *watching) take(proxy int, a probe.Answer, err error, verdict probe.Verdict) {
	w.underWay--
	seen := &w.seen[proxy]
	seen.Take(a, err, func(probe.Answer) probe.Verdict { return verdict })
	switch {
	case verdict == probe.Old && a.Sent.After(seen.LastOld.Sent):
		seen.LastOld = a
	case verdict == probe.New && (seen.FirstNew.Received.IsZero() || a.Received.Before(seen.FirstNew.Received)):
		seen.FirstNew = a
	}
	if !w.begun && all(w.seen, func(s probe.Switch) bool { return !s.LastOld.Sent.IsZero() }) {
		close(w.before)
		w.begun = true
	}
	now := time.Now()
	if w.open && w.stored && all(w.seen, func(s probe.Switch) bool {
		return !s.FirstNew.Sent.IsZero() && now.Sub(s.FirstNew.Received) >= changeTail && now.Sub(s.LastOld.Received) >= changeTail
	}) {
		w.open = false
	}
	if !w.open && w.underWay == 0 {
		close(w.after)
	}
}

func all(list []probe.Switch, holds func(probe.Switch) bool) bool {
	for _, one := range list {
		if !holds(one) {
			return false
		}
	}
	return true
}
