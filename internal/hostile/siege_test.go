package hostile

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"

	"github.com/deltaplane/deltaplane/internal/envoytest"
	"github.com/deltaplane/deltaplane/resource"
)

// slack is by how many the goroutines of a server at rest vary: etcd's, and
// those of the requests that count them.
const slack = 8

// siege is a control plane under attack, and a client that behaves: a cluster
// changes, over and over, and each change must reach it.
type siege struct {
	*testing.T
	plane *envoytest.Plane

	client  *talk
	content int
	closers []func() // of what the attack has opened

	served atomic.Int64
	news   chan struct{} // one token: served has grown
	broken chan struct{} // closed when the client was not served
	why    error         // read after broken
}

func besiege(t *testing.T, args ...string) *siege {
	s := &siege{T: t, plane: envoytest.StartPlane(t, args...)}
	t.Cleanup(s.end)
	s.client = s.talk(s.connect(), delta, &discoveryv3.DeltaDiscoveryRequest{
		Node: &corev3.Node{Id: "good"}, TypeUrl: resource.Cluster.URL(), ResourceNamesSubscribe: []string{"*"},
	})
	if err := s.serve(); err != nil {
		t.Fatal(err)
	}
	return s
}

// serve commits a change and waits until the client has it.
func (s *siege) serve() error {
	s.content++
	want := fmt.Sprint("content-", s.content)
	if _, err := s.plane.Post("/v1/apply", nil, fmt.Sprintf(
		`{"@type": %q, "name": "watched", "connect_timeout": "1s", "alt_stat_name": %q}`, resource.Cluster.URL(), want)); err != nil {
		return err
	}
	for {
		var r discoveryv3.DeltaDiscoveryResponse
		if err := s.client.RecvMsg(&r); err != nil {
			return fmt.Errorf("waiting for %s: %w", want, err)
		}
		err := s.client.SendMsg(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: r.TypeUrl, ResponseNonce: r.Nonce})
		if err != nil {
			return err
		}
		for _, one := range r.Resources {
			var c clusterv3.Cluster
			if err := one.Resource.UnmarshalTo(&c); err != nil {
				return err
			}
			if c.AltStatName == want {
				return nil
			}
		}
	}
}

// under runs attack as a subtest while the client is served: more often than
// not at all, and to the end. The server's memory stays below budget MiB all
// the time, and afterwards it has no more goroutines than before.
func (s *siege) under(name string, budget int, attack func(*siege)) {
	s.Run(name, func(t *testing.T) {
		goroutines := s.goroutines(envoytest.Context(t))
		if err := s.plane.ForgetPeak(); err != nil {
			t.Fatal(err)
		}
		now := &siege{T: t, plane: s.plane, client: s.client, content: s.content, news: make(chan struct{}, 1), broken: make(chan struct{})}
		stop, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			now.serveUntil(stop)
		}()
		func() {
			defer func() { close(stop); <-done; s.content = now.content }()
			defer now.end()
			attack(now)
			now.more(3)
		}()
		peak, err := s.plane.Peak()
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d MiB at most, %d changes were served", peak>>20, now.served.Load())
		if peak > int64(budget)<<20 {
			t.Errorf("the server took %d MiB, more than %d", peak>>20, budget)
		}
		envoytest.Eventually(t, "the goroutines to end", func(ctx context.Context) error {
			if n := s.goroutines(ctx); n > goroutines+slack {
				return fmt.Errorf("%d, before the attack %d", n, goroutines)
			}
			return nil
		})
	})
}

// end closes what the attack has opened.
func (s *siege) end() {
	for _, c := range s.closers {
		c()
	}
	s.closers = nil
}

func (s *siege) serveUntil(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		if err := s.serve(); err != nil {
			s.why = err
			close(s.broken)
			return
		}
		s.served.Add(1)
		select {
		case s.news <- struct{}{}:
		default:
		}
	}
}

// more waits until the client has been served n more changes.
func (s *siege) more(n int64) {
	s.Helper()
	for want := s.served.Load() + n; s.served.Load() < want; {
		select {
		case <-s.news:
		case <-s.broken:
			s.Fatalf("another client is no longer served: %v", s.why)
		}
	}
}

func (s *siege) goroutines(ctx context.Context) int {
	s.Helper()
	n, err := s.plane.Metric(ctx, "go_goroutines")
	if err != nil && !errors.Is(err, context.Canceled) {
		s.Error(err)
	}
	return int(n)
}
