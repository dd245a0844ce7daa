package fleet_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/fleet"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/xds"
)

// Streams of few nodes come and go on many goroutines, each commit is waited
// for, and readers read. Every Wait must end, and the books must balance.
func TestStreamsWaitsAndReadersAtTheSameTime(t *testing.T) {
	const workers, rounds, versions = 8, 30, 10
	f := fleet.New(fleet.Config{Grace: time.Millisecond, MaxDisconnected: 2})
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(f)
	var wg, reading sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for r := range rounds {
				id := uint64(w*rounds + r)
				f.Observe(xds.Event{Kind: xds.Opened, Stream: id, Node: &corev3.Node{Id: fmt.Sprint(r % 5)}})
				for v := deltaplane.Version(1); v <= versions; v++ {
					for _, typ := range resource.Served() {
						f.Observe(xds.Event{Kind: xds.Sent, Stream: id, Type: typ, Version: v})
						kind := xds.Acked
						if v%4 == 0 && w == 0 {
							kind = xds.Refused
						}
						f.Observe(xds.Event{Kind: kind, Stream: id, Type: typ, Version: v})
					}
				}
				f.Observe(xds.Event{Kind: xds.Closed, Stream: id})
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	for v := deltaplane.Version(1); v <= versions; v++ {
		reading.Go(func() {
			for ctx.Err() == nil {
				if late, err := f.Wait(ctx, v); (err == nil) != (len(late) == 0) {
					t.Errorf("Wait ended with %v and %d laggards", err, len(late))
				}
				f.Nodes()
				f.Node("1")
				if _, err := registry.Gather(); err != nil {
					t.Error(err)
				}
				select {
				case <-f.Changed():
				case <-ctx.Done():
				}
			}
		})
	}
	wg.Wait()
	cancel()
	reading.Wait()
	got := f.Summary()
	if got.InSync+got.Behind+got.Refused != 0 || got.Disconnected != 2 || got.Untracked != 0 {
		t.Errorf("summary %+v, want two departed nodes and nothing else", got)
	}
}
