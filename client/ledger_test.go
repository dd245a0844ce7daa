package client_test

import (
	"context"
	"maps"
	"sync"
	"testing"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"

	"github.com/deltaplane/deltaplane/client"
)

// ledger is what a watch amounts to, and finds what it says twice.
type ledger struct {
	t testing.TB

	mu        sync.Mutex
	held      map[string]int
	updates   int
	resources int
	changed   chan struct{}
}

func newLedger(t testing.TB) *ledger {
	return &ledger{t: t, held: map[string]int{}, changed: make(chan struct{})}
}

// follow keeps the ledger until the watcher ends.
func (l *ledger) follow(ctx context.Context, w *client.Watcher[*clusterv3.Cluster]) {
	for {
		u, err := w.Next(ctx)
		if err != nil {
			return
		}
		l.enter(u)
	}
}

func (l *ledger) enter(u *client.Update[*clusterv3.Cluster]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.updates++
	l.resources += len(u.Resources)
	for _, r := range u.Resources {
		n := int(r.Message.GetConnectTimeout().GetSeconds()) - 1
		if had, ok := l.held[r.Name]; ok && had == n {
			l.t.Errorf("%s comes again as it was", r.Name)
		}
		l.held[r.Name] = n
	}
	for _, name := range u.Removed {
		if _, ok := l.held[name]; !ok {
			l.t.Errorf("%s is removed, which was not there", name)
		}
		delete(l.held, name)
	}
	close(l.changed)
	l.changed = make(chan struct{})
}

// await waits until the ledger says what the server has.
func (l *ledger) await(ctx context.Context, world map[string]int) {
	l.t.Helper()
	l.awaitOr(ctx, world, nil)
}

// awaitOr is await, but returns early, with true, when something comes from other.
func (l *ledger) awaitOr(ctx context.Context, world map[string]int, other <-chan struct{}) bool {
	l.t.Helper()
	for {
		l.mu.Lock()
		changed, same, held := l.changed, maps.Equal(l.held, world), maps.Clone(l.held)
		l.mu.Unlock()
		if same {
			return false
		}
		select {
		case <-changed:
		case <-other:
			return true
		case <-ctx.Done():
			l.t.Fatalf("the client holds %v, the server has %v", held, world)
		}
	}
}
