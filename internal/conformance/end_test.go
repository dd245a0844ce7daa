package conformance

import (
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/xds"
)

func TestAStreamThatEndsLeavesNothingBehind(t *testing.T) {
	for _, v := range Variants {
		t.Run(v.String(), func(t *testing.T) {
			s := newScene(t, v, specs("cluster/a", "endpoint/e"))
			// The server and its connection are up before the count.
			s.must(s.client.Subscribe(t.Context(), resource.Cluster, "*"))
			s.accept(s.client, resource.Cluster)
			before := goleak.IgnoreCurrent()
			for i := range 50 {
				c := s.connect(v, "envoy-2", "cp-1")
				s.must(c.Subscribe(t.Context(), resource.Cluster, "*"))
				if i%2 == 0 { // the others end with a response unread
					s.take(c, resource.Cluster)
				}
				c.Close()
			}
			goleak.VerifyNone(t, before)
		})
	}
}

func TestACancelledOrExpiredStreamIsReportedClosed(t *testing.T) {
	for _, v := range Variants {
		t.Run(v.String(), func(t *testing.T) {
			s := newScene(t, v, specs("cluster/a"))
			server, err := s.world.Server("cp-1")
			s.must(err)
			service := resource.Cluster
			if v.Aggregated {
				service = ""
			}
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			stream, err := Open(ctx, server.Conn, service, v.Delta)
			s.must(err)
			defer stream.Close()
			s.must(stream.Send(Request{URL: resource.Cluster.URL(), Node: s.client.Node, Names: []string{"*"}, Subscribe: []string{"*"}}))
			for err == nil {
				_, err = stream.Next(t.Context())
			}
			if code := status.Code(err); code != codes.DeadlineExceeded {
				t.Errorf("the stream ended with %s", code)
			}
			s.events.await(t, "the end", func(e xds.Event) bool { return e.Kind == xds.Closed })
		})
	}
}

func TestAServerThatClosesEndsItsStreams(t *testing.T) {
	for _, v := range Variants {
		t.Run(v.String(), func(t *testing.T) {
			s := newScene(t, v, specs("cluster/a"))
			s.must(s.client.Subscribe(t.Context(), resource.Cluster, "*"))
			s.accept(s.client, resource.Cluster)
			s.world.servers["cp-1"].xds.Close()
			if _, err := s.client.Take(t.Context(), resource.Cluster); status.Code(err) != codes.Unavailable {
				t.Errorf("the stream ended with %v", err)
			}
		})
	}
}
