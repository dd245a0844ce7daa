package traffic

import (
	"context"
	"sync"
	"time"

	"github.com/deltaplane/deltaplane/bench/probe"
)

// Source says what a load asks for, and hears of the answers. Its methods are
// called from all workers, and must not block.
type Source interface {
	// Next is the target of one more request by a worker, and its number; ok
	// is false when no more are to be made.
	Next(worker int) (n int, t probe.Target, ok bool)
	// Done tells what came of request n of a worker. due is when it ought to
	// have been sent.
	Done(worker, n int, due time.Time, a Answer, err error)
}

// Run has each client make one request after the other, all at once, until the
// source has no more or ctx is done. With a rate, in requests per second, they
// are due at that pace whether those before have been answered or not: what a
// client is late counts. Without one, each is due when the one before is
// answered.
func Run(ctx context.Context, clients []*Client, rate float64, from Source) {
	p := pace{began: time.Now(), rate: rate}
	var working sync.WaitGroup
	for worker, c := range clients {
		working.Go(func() {
			for {
				due, ok := p.wait(ctx)
				if !ok {
					return
				}
				n, target, ok := from.Next(worker)
				if !ok {
					return
				}
				a, err := c.Do(ctx, n, target)
				if ctx.Err() != nil {
					return
				}
				if due.IsZero() {
					due = a.Sent
				}
				from.Done(worker, n, due, a, err)
			}
		})
	}
	working.Wait()
}

// pace spaces the requests of all clients together.
type pace struct {
	began time.Time
	rate  float64

	mu    sync.Mutex // guards taken
	taken int
}

// wait blocks until a request is due, or ctx is done. due is zero where no rate
// is kept.
func (p *pace) wait(ctx context.Context) (due time.Time, ok bool) {
	if p.rate <= 0 {
		return due, ctx.Err() == nil
	}
	p.mu.Lock()
	due = p.began.Add(time.Duration(float64(p.taken) / p.rate * float64(time.Second)))
	p.taken++
	p.mu.Unlock()
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-timer.C:
		return due, true
	case <-ctx.Done():
		return due, false
	}
}
