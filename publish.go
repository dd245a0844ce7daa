package deltaplane

import (
	"context"
	"sync"
	"sync/atomic"
)

// Publisher holds the newest snapshot and wakes who waits for a newer one.
// Readers take no lock. The zero Publisher holds the empty snapshot of
// version 0. A Store is one; alone it serves tests and embedders that have
// their state from elsewhere.
type Publisher struct {
	latest atomic.Pointer[published]
	mu     sync.Mutex // serializes Publish
}

// published is a snapshot and the channel that closes when a newer one is out.
type published struct {
	snapshot   *Snapshot
	superseded chan struct{}
}

var empty = &Snapshot{}

func (p *Publisher) load() *published {
	if now := p.latest.Load(); now != nil {
		return now
	}
	p.latest.CompareAndSwap(nil, &published{empty, make(chan struct{})})
	return p.latest.Load()
}

// Publish makes s the newest snapshot, unless it is not newer.
func (p *Publisher) Publish(s *Snapshot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := p.load()
	if s.version <= old.snapshot.version {
		return
	}
	p.latest.Store(&published{s, make(chan struct{})})
	close(old.superseded)
}

// Latest is the newest snapshot. One atomic load.
func (p *Publisher) Latest() *Snapshot { return p.load().snapshot }

// Watch follows Latest from now on: its first Next waits for a newer one.
func (p *Publisher) Watch() *Watch { return &Watch{publisher: p, seen: p.load()} }

// Watch hands out snapshots in version order. It merges: a slow reader skips
// to the newest and never holds anybody up. It needs no closing; a Watch is
// for one goroutine.
type Watch struct {
	publisher *Publisher
	seen      *published
}

// Changed closes when there is a snapshot newer than the last that Next returned.
func (w *Watch) Changed() <-chan struct{} { return w.seen.superseded }

// Next waits for a snapshot newer than the last one that it returned.
func (w *Watch) Next(ctx context.Context) (*Snapshot, error) {
	select {
	case <-w.seen.superseded:
		w.seen = w.publisher.load()
		return w.seen.snapshot, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
