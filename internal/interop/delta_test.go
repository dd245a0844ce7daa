package interop

import (
	"context"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	clusterservice "github.com/envoyproxy/go-control-plane/envoy/service/cluster/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	endpointservice "github.com/envoyproxy/go-control-plane/envoy/service/endpoint/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	cachev3 "github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	resourcev3 "github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	serverv3 "github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/deltaplane/deltaplane/client"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const node = "interop"

// rival is go-control-plane's delta server on its snapshot cache.
type rival struct {
	t       *testing.T
	address string
	cache   cachev3.SnapshotCache
	version int
	stop    func()
}

func newRival(t *testing.T) *rival {
	r := &rival{t: t, address: "127.0.0.1:0", cache: cachev3.NewSnapshotCache(true, cachev3.IDHash{}, nil)}
	r.start()
	t.Cleanup(func() { r.stop() })
	return r
}

// start serves, after a stop on the same address.
func (r *rival) start() {
	r.t.Helper()
	l, err := net.Listen("tcp", r.address)
	if err != nil {
		r.t.Fatal(err)
	}
	r.address = l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	x := serverv3.NewServer(ctx, r.cache, nil)
	g := grpc.NewServer()
	discoveryv3.RegisterAggregatedDiscoveryServiceServer(g, x)
	clusterservice.RegisterClusterDiscoveryServiceServer(g, x)
	endpointservice.RegisterEndpointDiscoveryServiceServer(g, x)
	served := make(chan error, 1)
	go func() { served <- g.Serve(l) }()
	r.stop = func() {
		cancel()
		g.Stop()
		<-served
	}
}

func (r *rival) set(messages ...proto.Message) {
	r.t.Helper()
	all := map[resourcev3.Type][]types.Resource{resourcev3.ClusterType: nil, resourcev3.EndpointType: nil}
	for _, m := range messages {
		typ := "type.googleapis.com/" + string(m.ProtoReflect().Descriptor().FullName())
		all[typ] = append(all[typ], m)
	}
	r.version++
	s, err := cachev3.NewSnapshot(fmt.Sprint(r.version), all)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := r.cache.SetSnapshot(r.t.Context(), node, s); err != nil {
		r.t.Fatal(err)
	}
}

func cluster(name string, n int64) *clusterv3.Cluster {
	return &clusterv3.Cluster{Name: name, ConnectTimeout: &durationpb.Duration{Seconds: n}}
}

func endpoints(name string) *endpointv3.ClusterLoadAssignment {
	return &endpointv3.ClusterLoadAssignment{ClusterName: name}
}

// follow is a watch of src; expect waits for its next update.
func follow[T proto.Message](t *testing.T, src client.Source, names ...string) (expect func(changed, removed []string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	updates, ended := make(chan *client.Update[T]), make(chan struct{})
	go func() {
		defer close(ended)
		for u, err := range client.Watch[T](ctx, src, names...) {
			if err != nil {
				return
			}
			select {
			case updates <- u:
			case <-ctx.Done():
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return func(changed, removed []string) {
		t.Helper()
		select {
		case u := <-updates:
			var names []string
			for _, r := range u.Resources {
				names = append(names, r.Name)
			}
			if !slices.Equal(names, changed) || !slices.Equal(u.Removed, removed) {
				t.Fatalf("the update brings %q and removes %q, want %q and %q", names, u.Removed, changed, removed)
			}
		case <-ended:
			t.Fatalf("no update came; wanted %q and %q", changed, removed)
		}
	}
}

func TestTheClientFollowsGoControlPlane(t *testing.T) {
	for _, aggregated := range []bool{false, true} {
		t.Run(fmt.Sprintf("aggregated %t", aggregated), func(t *testing.T) {
			r := newRival(t)
			r.set(cluster("a", 1), cluster("b", 1), endpoints("a"))
			c, err := client.New(client.Config{Targets: []string{r.address}, Node: &corev3.Node{Id: node}, BackoffMin: time.Millisecond, BackoffMax: 50 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.Close() })
			src := client.Source(c)
			if aggregated {
				if src, err = c.Aggregated(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			clusters, loads := follow[*clusterv3.Cluster](t, src), follow[*endpointv3.ClusterLoadAssignment](t, src, "a", "b")
			clusters([]string{"a", "b"}, nil)
			loads([]string{"a"}, nil)

			r.set(cluster("a", 2), cluster("c", 1), endpoints("a"), endpoints("b"))
			clusters([]string{"a", "c"}, []string{"b"})
			loads([]string{"b"}, nil)

			r.stop()
			r.set(cluster("a", 3), endpoints("a"), endpoints("b"))
			r.start()
			clusters([]string{"a"}, []string{"c"}) // and not b, or what is as it was
			r.set(cluster("a", 4), endpoints("b"))
			clusters([]string{"a"}, nil)
			loads(nil, []string{"a"})
		})
	}
}
