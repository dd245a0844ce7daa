package client_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"

	"github.com/deltaplane/deltaplane/client"
)

func TestAServerThatComesBackSendsOnlyWhatDiffers(t *testing.T) {
	p, ctx := newPlane(t, cluster("stays", 0), cluster("changes", 0), cluster("goes", 0)), patience(t)
	w := watcher[*clusterv3.Cluster](ctx, t, p.client())
	want(t, next(ctx, t, w), list{"changes", "goes", "stays"}, nil)
	follow := make(chan *client.Update[*clusterv3.Cluster])
	go func() { // the first update is accepted with the next call
		defer close(follow)
		for range 2 {
			u, err := w.Next(ctx)
			if err != nil {
				return
			}
			follow <- u
		}
	}()
	p.commit(cluster("new", 0))
	want(t, <-follow, list{"new"}, nil)
	p.stop()
	p.change([]resourceMessage{cluster("changes", 1)}, list{"goes"})
	p.start()
	want(t, <-follow, list{"changes"}, list{"goes"})
	if got := p.events.sent(); got != 3+1+1 {
		t.Errorf("the servers sent %d resources", got)
	}
}

func TestWatchesOnOneStreamComeInTheServersOrder(t *testing.T) {
	p, ctx := newPlane(t, cluster("a", 0), endpoints("a", 0)), patience(t)
	st, err := p.client().Aggregated(ctx)
	if err != nil {
		t.Fatal(err)
	}
	clusters := watcher[*clusterv3.Cluster](ctx, t, st)
	loads := watcher[*endpointv3.ClusterLoadAssignment](ctx, t, st, "a", "none")
	want(t, next(ctx, t, clusters), list{"a"}, nil)
	want(t, next(ctx, t, loads), list{"a"}, list{"none"})
	if got := st.Status(); got.Opened != 1 || got.State != client.Live {
		t.Errorf("the stream's status is %+v", got)
	}
	loads.Subscribe("b")
	loads.Unsubscribe("a")
	want(t, next(ctx, t, loads), nil, list{"a"})
	p.commit(endpoints("b", 0))
	for u := next(ctx, t, loads); len(u.Resources) == 0; u = next(ctx, t, loads) {
		if len(u.Removed) != 1 || u.Removed[0] != "b" { // it may be told first that there is none
			t.Fatalf("the update removes %q", u.Removed)
		}
	}
}

func TestAThousandStreamsShareOneConnection(t *testing.T) {
	const streams = 1000
	p, ctx := newPlane(t, cluster("a", 0)), patience(t)
	c := p.client()
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all sync.WaitGroup
	got := make(chan int, streams)
	for range streams {
		all.Go(func() {
			for u, err := range client.Watch[*clusterv3.Cluster](ctx, c) {
				if err != nil {
					if !errors.Is(err, context.Canceled) {
						t.Error(err)
					}
					return
				}
				got <- len(u.Resources)
			}
		})
	}
	each := func(resources int) {
		t.Helper()
		for range streams {
			select {
			case n := <-got:
				if n != resources {
					t.Fatalf("an update has %d resources, want %d", n, resources)
				}
			case <-ctx.Done():
				t.Fatal("not all streams were told")
			}
		}
	}
	each(1)
	open := runtime.NumGoroutine()
	// The watch's own, the stream's two, one of gRPC; on the server's side four.
	if perStream := float64(open-before) / streams; perStream > 8.5 {
		t.Errorf("%.1f goroutines for each stream and its server", perStream)
	}
	for n := range 3 {
		p.commit(cluster("a", n+1), cluster("b", n+1))
		each(2)
	}
	if after := runtime.NumGoroutine(); after > open+streams/10 {
		t.Errorf("%d goroutines before the updates, %d after", open, after)
	}
	cancel()
	all.Wait()
}

func TestTheNextTargetServesWhileTheFirstIsAway(t *testing.T) {
	first, second, ctx := newPlane(t, cluster("a", 1)), newPlane(t, cluster("a", 2)), patience(t)
	w := watcher[*clusterv3.Cluster](ctx, t, first.client(func(c *client.Config) { c.Targets = append(c.Targets, second.address) }))
	answeredBy := func(n int64) {
		t.Helper()
		u := next(ctx, t, w)
		want(t, u, list{"a"}, nil)
		if got := u.Resources[0].Message.GetConnectTimeout().GetSeconds(); got != n+1 {
			t.Fatalf("a is at %d s, want %d", got, n+1)
		}
	}
	answeredBy(1)
	first.stop()
	answeredBy(2)
	first.start()
	second.stop()
	answeredBy(1)
}

func TestGetFindsOneOrSaysWhyNot(t *testing.T) {
	p, ctx := newPlane(t, cluster("a", 4)), patience(t)
	c := p.client()
	if m, err := client.Get[*clusterv3.Cluster](ctx, c, "a"); err != nil || m.GetConnectTimeout().GetSeconds() != 5 {
		t.Errorf("%v, %v", m, err)
	}
	if m, err := client.Get[*clusterv3.Cluster](ctx, c, "none"); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("%v, %v", m, err)
	}
	if _, err := client.Get[resourceMessage](ctx, c, "a"); !errors.Is(err, client.ErrType) {
		t.Errorf("an interface as the type: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := client.Get[*clusterv3.Cluster](ctx, c, "a"); !errors.Is(err, client.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestADeadlineSaysWhatTheStreamWasFailingWith(t *testing.T) {
	p := newPlane(t)
	c := p.client()
	p.stop()
	expiresWith(t, "connection refused", func(ctx context.Context) error {
		_, err := client.Get[*clusterv3.Cluster](ctx, c, "a")
		return err
	})
}

func TestHandleRefusesWhatItsFunctionFailsFor(t *testing.T) {
	p, ctx := newPlane(t, cluster("a", 0)), patience(t)
	c := p.client()
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- client.Handle(ctx, c, func(u *client.Update[*clusterv3.Cluster]) error {
			if u.Resources[0].Message.GetConnectTimeout().GetSeconds() > 1 {
				return errors.New("too patient")
			}
			return nil
		}, "a")
	}()
	p.commit(cluster("a", 7))
	p.events.await(ctx, t, func() bool { return len(p.events.refused) == 1 && p.events.refused[0].Detail == "too patient" })
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("it ends with %v", err)
	}
}

func TestACacheKeepsWhatItsCheckTakes(t *testing.T) {
	p, ctx := newPlane(t, cluster("a", 0), cluster("b", 0)), patience(t)
	cache, err := client.NewCache(ctx, p.client(), func(r client.Resource[*clusterv3.Cluster]) error {
		if r.Message.GetConnectTimeout().GetSeconds() > 100 {
			return errors.New("too patient")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cache.Close)
	if err := cache.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	await := func(what string, condition func() bool) {
		t.Helper()
		for {
			changed := cache.Changed()
			if condition() {
				return
			}
			select {
			case <-changed:
			case <-ctx.Done():
				t.Fatalf("%s: the cache has %d", what, cache.Len())
			}
		}
	}
	seconds := func(name string) int64 {
		m, _ := cache.Get(name)
		return m.GetConnectTimeout().GetSeconds()
	}
	await("the first state", func() bool { return cache.Len() == 2 && seconds("a") == 1 })
	p.change([]resourceMessage{cluster("a", 200), cluster("c", 1)}, list{"b"})
	await("the second state", func() bool { return cache.Len() == 2 && seconds("c") == 2 })
	if got := seconds("a"); got != 1 {
		t.Errorf("a is at %d s: not at the last good version", got)
	}
	p.events.await(ctx, t, func() bool { return len(p.events.refused) == 1 })
	p.commit(cluster("a", 2))
	await("the correction", func() bool { return seconds("a") == 3 })
	for name, m := range cache.All() {
		if m.GetName() != name {
			t.Errorf("%s is under %s", m.GetName(), name)
		}
	}
	cache.Close()
	if err := cache.Err(); !errors.Is(err, client.ErrClosed) || cache.Len() != 2 {
		t.Errorf("after Close: %v, %d resources", err, cache.Len())
	}
}

func TestTheNodeDecidesWhatIsServed(t *testing.T) {
	p, ctx := newPlane(t, cluster("a", 0)), patience(t)
	node := &corev3.Node{Id: "someone"}
	c := p.client(func(c *client.Config) { c.Node = node })
	node.Id = "another" // it was copied
	watcher[*clusterv3.Cluster](ctx, t, c)
	p.events.await(ctx, t, func() bool { return p.events.node == "someone" })
}
