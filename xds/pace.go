package xds

import (
	"context"
	"runtime"
	"sync"
	"time"
)

// What the requests of one connection may cost in processor time. Whoever has
// used it up is read from more slowly, which costs nobody else anything;
// pushes are not slowed down. The measure is time, not requests: a thousand
// subscriptions are nothing, and a single one to everything may be much.
const (
	requestCost  = 50 * time.Microsecond // at least, of one request: what gRPC takes
	requestBurst = 2 * time.Second       // for what a start takes
	ownShare     = 0.01                  // of a core, for each connection
	commonShare  = 0.25                  // of all cores, for all that need more together
)

// What passes over all streams may take while versions come faster than clients
// answer them: a burst goes out as each comes, and then a part of the time. What
// a pass hands over takes several times as long to be written and answered as to
// be handed over, and commits need some of the time, too: with more, the last
// clients lag less at the median, and commits wait at times.
const (
	passBurst = 250 * time.Millisecond
	passShare = 0.15
)

// bucket is a budget of processor time that refills at a rate. It may be
// overdrawn by what the work taken from it turned out to cost.
type bucket struct {
	rate  float64 // seconds of work per second
	burst time.Duration

	mu   sync.Mutex // guards what follows
	left time.Duration
	at   time.Time // that left is of
}

func newBucket(rate float64, burst time.Duration, now time.Time) *bucket {
	return &bucket{rate: rate, burst: burst, left: burst, at: now}
}

// newCommonBucket is what all connections that need more draw from.
func newCommonBucket(now time.Time) *bucket {
	return newBucket(commonShare*float64(runtime.GOMAXPROCS(0)), time.Second, now)
}

// refillLocked brings left up to now. b.mu is held.
func (b *bucket) refillLocked(now time.Time) {
	if gone := now.Sub(b.at); gone > 0 {
		b.left = min(b.burst, b.left+time.Duration(b.rate*float64(gone)))
		b.at = now
	}
}

// wait is for how long the bucket has nothing.
func (b *bucket) wait(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refillLocked(now)
	if b.left > 0 {
		return 0
	}
	return time.Duration(float64(-b.left)/b.rate) + time.Millisecond
}

// draw takes cost, if there is anything left, or force.
func (b *bucket) draw(cost time.Duration, now time.Time, force bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refillLocked(now)
	if b.left <= 0 && !force {
		return false
	}
	b.left -= cost
	return true
}

// await waits until the bucket has something, or ctx ends.
func (b *bucket) await(ctx context.Context, now func() time.Time) error {
	for {
		wait := b.wait(now())
		if wait == 0 {
			return nil
		}
		if err := idle(ctx, wait); err != nil {
			return err
		}
	}
}

// idle lets d go by, unless ctx ends before.
func idle(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// pace is the budget of one connection.
type pace struct{ own, common *bucket }

// spend takes what a request has cost: from the connection's own budget while
// there is any, then from the common one.
func (p pace) spend(cost time.Duration, now time.Time) {
	cost = max(cost, requestCost)
	if !p.own.draw(cost, now, false) && !p.common.draw(cost, now, false) {
		p.own.draw(cost, now, true) // several streams may have been let in at once
	}
}

// admit waits until either budget has something, or ctx ends.
func (p pace) admit(ctx context.Context, now func() time.Time) error {
	for {
		at := now()
		wait := min(p.own.wait(at), p.common.wait(at))
		if wait == 0 {
			return nil
		}
		if err := idle(ctx, wait); err != nil {
			return err
		}
	}
}
