package swarm

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/deltaplane/deltaplane/bench/swarm/fixture"
)

// Arrivals are when one change reached each of those who should have it.
type Arrivals struct {
	// Fixed at birth.
	change int
	epoch  time.Time

	times []int64 // ns after epoch, by proxy; 0: not yet. Each proxy writes its own.
	left  atomic.Int64
	done  chan struct{}
}

// Done closes when the change has reached all.
func (a *Arrivals) Done() <-chan struct{} { return a.done }

// Left is how many it has not reached yet.
func (a *Arrivals) Left() int { return int(a.left.Load()) }

// Times are when it reached them, in this order, as durations from since.
// Call it after Done.
func (a *Arrivals) Times(since time.Time) []time.Duration {
	from := since.Sub(a.epoch)
	times := make([]time.Duration, 0, len(a.times))
	for _, at := range a.times {
		if at > 0 {
			times = append(times, time.Duration(at)-from)
		}
	}
	slices.Sort(times)
	return times
}

// arrived notes that the change is at a proxy. A proxy says so once.
func (a *Arrivals) arrived(proxy int, at time.Duration) {
	a.times[proxy] = max(int64(at), 1)
	if a.left.Add(-1) == 0 {
		close(a.done)
	}
}

// ledger has the changes that are expected. Per kind they arrive in their
// order, though one may overtake another before it was sent; then both arrive
// with the later.
type ledger struct {
	epoch time.Time

	mu     sync.Mutex // of those who append
	byKind [fixture.Kinds]atomic.Pointer[[]*Arrivals]
}

func newLedger(now time.Time) *ledger {
	l := &ledger{epoch: now}
	for k := range l.byKind {
		l.byKind[k].Store(&[]*Arrivals{})
	}
	return l
}

// expect adds a change that should reach some of all proxies.
func (l *ledger) expect(k fixture.Kind, change, all, some int) *Arrivals {
	a := &Arrivals{change: change, epoch: l.epoch, times: make([]int64, all), done: make(chan struct{})}
	a.left.Store(int64(some))
	l.mu.Lock()
	defer l.mu.Unlock()
	longer := append(*l.byKind[k].Load(), a)
	l.byKind[k].Store(&longer)
	return a
}

// expected are the changes of a kind so far. Do not write to it.
func (l *ledger) expected(k fixture.Kind) []*Arrivals { return *l.byKind[k].Load() }
