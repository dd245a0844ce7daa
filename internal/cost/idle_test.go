package cost

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/xds"
)

// held is what the process holds, on its heap and in stacks.
func held() int64 {
	for range 6 { // pools need two to let go, and a stack is halved by one
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// stock is the node message of a stock Envoy: 61 KB, most of it the names of
// 516 extensions.
func stock(id string) *corev3.Node {
	n := envoy(id)
	n.Locality = &corev3.Locality{Region: "eu", Zone: "eu-1"}
	n.Metadata = &structpb.Struct{Fields: map[string]*structpb.Value{"app": structpb.NewStringValue("edge")}}
	n.UserAgentVersionType = &corev3.Node_UserAgentBuildVersion{UserAgentBuildVersion: &corev3.BuildVersion{
		Version: &typev3.SemanticVersion{MajorNumber: 1, MinorNumber: 40}}}
	for i := range 516 {
		n.Extensions = append(n.Extensions, &corev3.Extension{
			Category: "envoy.filters.http", Name: fmt.Sprintf("envoy.filters.http.some_filter_%d", i),
			TypeUrls: []string{fmt.Sprintf("envoy.extensions.filters.http.some_filter_%d.v3.%s", i, strings.Repeat("x", 10))},
		})
	}
	n.ClientFeatures = []string{"envoy.lb.does_not_support_overprovisioning", "xds.config.resource-in-sotw"}
	return n
}

// bare is a server of gRPC alone: it answers the first request for each type.
type bare struct {
	discoveryv3.UnimplementedAggregatedDiscoveryServiceServer
	events *events
	answer string
}

func (b bare) DeltaAggregatedResources(g discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesServer) error {
	for {
		q, err := g.Recv()
		switch {
		case err != nil:
			return err
		case q.GetResponseNonce() != "":
			b.events.count(xds.Acked)
		default:
			err = g.Send(&discoveryv3.DeltaDiscoveryResponse{TypeUrl: q.GetTypeUrl(), Nonce: "1", SystemVersionInfo: b.answer})
		}
		if err != nil {
			return err
		}
	}
}

// perStream is how much each of many idle streams holds, of w's kind, on both
// of its ends.
func (w *world) perStream(node func(id string) *corev3.Node) int64 {
	w.t.Helper()
	const warm, streams = 20, 300
	types := []resource.Type{resource.Cluster, resource.Endpoint, resource.Listener, resource.Route}
	requests := func(id string) (list []*discoveryv3.DeltaDiscoveryRequest) {
		for i, t := range types {
			q := &discoveryv3.DeltaDiscoveryRequest{TypeUrl: t.URL()}
			if i == 0 {
				q.Node = node(id)
			}
			list = append(list, q)
		}
		return list
	}
	w.join(warm, len(types), requests)
	before := held()
	w.join(streams, len(types), requests)
	return (held() - before) / streams
}

func TestAnIdleNodeThatSharesAViewCostsLittleBesideGRPC(t *testing.T) {
	const most = 16 << 10
	var floor int64
	t.Run("gRPC alone", func(t *testing.T) {
		w := &world{t: t, events: events{there: make(chan struct{}, 1)}}
		rpc := grpc.NewServer(grpc.StaticStreamWindowSize(64<<10), grpc.StaticConnWindowSize(1<<20))
		discoveryv3.RegisterAggregatedDiscoveryServiceServer(rpc, bare{events: &w.events, answer: strings.Repeat("x", 50_000)})
		w.address = serve(t, rpc)
		t.Cleanup(w.disconnect)
		floor = w.perStream(stock)
	})
	for _, resources := range []int{100, 2000} {
		t.Run(fmt.Sprint(resources, " resources"), func(t *testing.T) {
			w := newWorld(t, xds.Config{}, mixture(resources)...)
			got := w.perStream(stock)
			t.Logf("a stream holds %d bytes, of which gRPC alone %d", got, floor)
			if got-floor > most {
				t.Errorf("%d bytes of ours for each stream, want at most %d", got-floor, most)
			}
		})
	}
}
