package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/deltaplane/deltaplane/bench/plane"
)

// ErrEnded is why a run ends when one of its control planes or Envoys has
// ended; its text has the end of that one's log.
var ErrEnded = errors.New("ended in the middle of the run")

// guard ends a run when one of its children has ended.
type guard struct {
	quit     chan struct{}
	stopped  sync.Once
	watching sync.WaitGroup
}

// guarded is ctx that ends, with ErrEnded as its cause, when a child of the
// sides does. The caller must call stop before it ends the children.
func guarded(ctx context.Context, sides []*side) (context.Context, *guard) {
	ctx, cancel := context.WithCancelCause(ctx)
	g := &guard{quit: make(chan struct{})}
	watch := func(done <-chan struct{}, who func() string) {
		g.watching.Go(func() {
			select {
			case <-done:
				cancel(fmt.Errorf("%w: %s", ErrEnded, who()))
			case <-g.quit:
				cancel(nil)
			}
		})
	}
	for _, s := range sides {
		if s.plane != nil {
			watch(s.plane.Process.Done(), func() string {
				return fmt.Sprintf("the control plane of %s; its log ends with:\n%s", s.shape, plane.Tail(s.plane.Log, 10))
			})
		}
		for _, p := range s.proxies {
			watch(p.process.Done(), func() string {
				return fmt.Sprintf("an Envoy of %s; its log ends with:\n%s", s.shape, p.process.LogTail(10))
			})
		}
	}
	return ctx, g
}

// knownAfter is how long after its connections broke a child is known to have
// ended, at most.
const knownAfter = 200 * time.Millisecond

// why is the end of a child, if there was one, and not the error that it led to.
func why(guarded context.Context, err error) error {
	timer := time.NewTimer(knownAfter)
	defer timer.Stop()
	select {
	case <-guarded.Done():
	case <-timer.C:
	}
	if cause := context.Cause(guarded); errors.Is(cause, ErrEnded) {
		return cause
	}
	return err
}

// stop ends the watch; a second call does nothing.
func (g *guard) stop() {
	g.stopped.Do(func() { close(g.quit) })
	g.watching.Wait()
}
