package conformance

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane/resource"
)

// TestGoroutinesGrowWithStreamsAndNotWithUpdates holds 1,000 streams while 100
// updates go out to all of them. A stream may have one more goroutine while
// it sends.
func TestGoroutinesGrowWithStreamsAndNotWithUpdates(t *testing.T) {
	const streams, updates, perConnection = 1000, 100, 100
	s := newScene(t, Variant{Delta: true, Aggregated: true}, specs("cluster/c"), func(w *World) error {
		w.Config.Observer = nil
		return nil
	})
	server, err := s.world.Server("cp-1")
	s.must(err)
	var clients []*Client
	for i := range streams {
		c := NewClient(Variant{Delta: true, Aggregated: true}, fmt.Sprint("envoy-", i), s.client.rules)
		if i%perConnection == 0 {
			conn, err := server.Dial()
			s.must(err)
			defer conn.Close()
			c.Connect(conn)
		} else {
			c.Connect(clients[i-1].conn)
		}
		defer c.Close()
		s.must(c.Subscribe(t.Context(), resource.Cluster, "*"))
		s.accept(c, resource.Cluster)
		clients = append(clients, c)
	}
	before, peak := runtime.NumGoroutine(), 0
	for i := range updates {
		s.commit(fmt.Sprintf("cluster/c=%d", i+2))
		for _, c := range clients {
			s.accept(c, resource.Cluster)
			peak = max(peak, runtime.NumGoroutine())
		}
	}
	if peak > before+streams {
		t.Errorf("%d goroutines with %d streams at rest, %d during updates", before, streams, peak)
	}
	deadline := time.Now().Add(patience)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines before %d updates, %d after", before, updates, runtime.NumGoroutine())
		}
		runtime.Gosched()
	}
	t.Logf("%d goroutines for %d streams, at most %d during updates", before, streams, peak)
}
