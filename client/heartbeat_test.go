package client_test

import (
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"

	"github.com/deltaplane/deltaplane/client"
)

// The server's heartbeats keep a resource alive for longer than its time to
// live, and without the server it ends.
func TestHeartbeatsOfTheRealServerKeepAResourceAlive(t *testing.T) {
	t.Parallel() // it waits most of its time
	const ttl = 3 * time.Second
	p, ctx := newPlane(t, cluster("stays", 0)), patience(t)
	p.put(resourceOf(t, cluster("lives", 0)).WithTTL(ttl))
	heard := &witness{t: t, heard: make(chan int, 100)}
	began := time.Now()
	updates, c := make(chan *client.Update[*clusterv3.Cluster]), p.client(heard.attach)
	ended := make(chan struct{})
	w := watcher[*clusterv3.Cluster](ctx, t, c)
	go func() {
		defer close(ended)
		for {
			u, err := w.Next(ctx)
			if err != nil {
				return
			}
			updates <- u
		}
	}()
	want(t, <-updates, list{"lives", "stays"}, nil)
	for time.Since(began) < ttl+ttl/3 {
		select {
		case <-heard.heard:
		case u := <-updates:
			t.Fatalf("although the server is there, the update changes %q and removes %q", names(u), u.Removed)
		}
	}
	p.stop()
	want(t, <-updates, nil, list{"lives"})
	w.Close()
	<-ended
}
