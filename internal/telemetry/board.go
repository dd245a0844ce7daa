package telemetry

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/xds"
)

// When a delivery is over: nothing has happened for quiet and every response
// has its answer; or it has taken longest, twice what a stream waits for an
// answer before it goes on; or there are more than maxOpen.
const (
	quiet   = time.Second
	longest = 30 * time.Second
	maxOpen = 32
)

// board has the deliveries that go on. It is the xDS server's Tracer: what
// belongs to no delivery costs one atomic read.
type board struct {
	tracer trace.Tracer
	going  atomic.Pointer[[]*delivery] // ascending by version; never changed; nil or empty: none
	opened chan struct{}               // cap 1: there is something to watch

	mu sync.Mutex // serializes changes of going
}

func newBoard(tracer trace.Tracer) *board {
	return &board{tracer: tracer, opened: make(chan struct{}, 1)}
}

// now lists the deliveries that go on.
func (b *board) now() []*delivery {
	if all := b.going.Load(); all != nil {
		return *all
	}
	return nil
}

// open begins the delivery of a version.
func (b *board) open(ctx context.Context, p deltaplane.Publication, at time.Time) {
	d := newDelivery(ctx, b.tracer, p, at)
	b.mu.Lock()
	all := append(append(make([]*delivery, 0, maxOpen+1), b.now()...), d)
	var oldest *delivery
	if len(all) > maxOpen {
		oldest, all = all[0], all[1:]
	}
	b.going.Store(&all)
	b.mu.Unlock()
	if oldest != nil {
		oldest.close()
	}
	select {
	case b.opened <- struct{}{}:
	default: // it is awake
	}
}

// run ends deliveries that are over, until ctx ends: then it ends all.
func (b *board) run(ctx context.Context) {
	ticker := time.NewTicker(quiet / 4)
	defer ticker.Stop()
	for {
		if len(b.now()) == 0 {
			select {
			case <-b.opened:
			case <-ctx.Done():
				return
			}
		}
		select {
		case <-ticker.C:
			now := time.Now()
			b.closeIf(func(d *delivery) bool { return d.over(now) })
		case <-ctx.Done():
			b.closeIf(func(*delivery) bool { return true })
			return
		}
	}
}

// closeIf ends the deliveries for which over says so.
func (b *board) closeIf(over func(*delivery) bool) {
	b.mu.Lock()
	var left, ended []*delivery
	for _, d := range b.now() {
		if over(d) {
			ended = append(ended, d)
		} else {
			left = append(left, d)
		}
	}
	b.going.Store(&left)
	b.mu.Unlock()
	for _, d := range ended {
		d.close()
	}
}

// find is the delivery of v, nil if none goes on.
func (b *board) find(v deltaplane.Version) *delivery {
	for _, d := range b.now() {
		if d.version == v {
			return d
		}
	}
	return nil
}

// Worked is part of xds.Tracer.
func (b *board) Worked(w xds.Work) {
	if d := b.find(w.Version); d != nil {
		d.worked(w)
	}
}

// Pushed is part of xds.Tracer. A response that brings several versions
// counts to the delivery of each. So does one that was asked for on a stream
// that is older than the version: as for the endpoints of a new cluster. What
// a stream gets at its beginning is not the version's doing.
func (b *board) Pushed(e xds.Event) (id string) {
	if !e.Pushed && e.Version <= e.First {
		return ""
	}
	for _, d := range b.now() {
		if e.After < d.version && d.version <= e.Version && d.pushed(e) {
			id = d.id
		}
	}
	return id
}

// Within is part of xds.Tracer.
func (b *board) Within(ctx context.Context, v deltaplane.Version) context.Context {
	if d := b.find(v); d != nil {
		return trace.ContextWithSpan(ctx, d.span)
	}
	return ctx
}
