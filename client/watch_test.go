package client_test

import (
	"errors"
	"testing"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
)

func TestAWatchFollowsAdditionsChangesAndRemovals(t *testing.T) {
	p, ctx := newPlane(t, cluster("a", 0), cluster("b", 0)), patience(t)
	w := watcher[*clusterv3.Cluster](ctx, t, p.client())
	want(t, next(ctx, t, w), list{"a", "b"}, nil)
	p.commit(cluster("a", 1), cluster("c", 0))
	u := next(ctx, t, w)
	want(t, u, list{"a", "c"}, nil)
	if got := u.Resources[0].Message.GetConnectTimeout().GetSeconds(); got != 2 {
		t.Errorf("a is at %d s, want 2", got)
	}
	p.remove("b")
	want(t, next(ctx, t, w), nil, list{"b"})
}

func TestWhatIsRefusedStaysAtTheLastGoodVersion(t *testing.T) {
	p, ctx := newPlane(t, cluster("a", 0), cluster("b", 0)), patience(t)
	w := watcher[*clusterv3.Cluster](ctx, t, p.client())
	want(t, next(ctx, t, w), list{"a", "b"}, nil)
	p.commit(cluster("a", 1), cluster("b", 1))
	u := next(ctx, t, w)
	want(t, u, list{"a", "b"}, nil)
	u.Refuse(errors.New("too patient"), "b")
	refused := make(chan error, 1)
	go func() { // Next gives the verdict, and then waits
		u, err := w.Next(ctx)
		if err == nil && len(u.Resources) != 1 {
			err = errors.New("not the corrected b alone")
		}
		refused <- err
	}()
	p.events.await(ctx, t, func() bool { return len(p.events.refused) == 1 })
	if got := p.events.refused[0].Detail; got != "b: too patient" {
		t.Errorf("the server was told %q", got)
	}
	p.commit(cluster("b", 2))
	if err := <-refused; err != nil {
		t.Error(err)
	}
}
