package telemetry

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/xds"
)

// BenchmarkFanOut is one changed cluster for a thousand streams over real
// gRPC, from its publication to the last acknowledgement.
func BenchmarkFanOut(b *testing.B) {
	b.Run("off", func(b *testing.B) { fanOut(b, nil) })
	for name, sampler := range map[string]sdk.Sampler{"not sampled": sdk.NeverSample(), "sampled": sdk.AlwaysSample()} {
		b.Run(name, func(b *testing.B) {
			tracing, _ := inMemory(b, sdk.WithSampler(sampler))
			fanOut(b, tracing)
		})
	}
}

func fanOut(b *testing.B, tracing *Tracing) {
	const streams = 1000
	source := &grown{}
	source.change(b)
	acks := make(chan struct{}, streams)
	server := xds.NewServer(source, xds.Config{Tracer: tracing.XDS(), Observer: observer(func(e xds.Event) {
		if e.Kind == xds.Acked {
			acks <- struct{}{}
		}
	})})
	rpc, listener := grpc.NewServer(server.GRPCOptions()...), bufconn.Listen(1<<20)
	server.Register(rpc)
	ctx, cancel := context.WithCancel(b.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = rpc.Serve(listener) }) // until stopped
	defer running.Wait()
	defer rpc.Stop()
	defer server.Close()
	defer cancel()
	conn, err := grpc.NewClient("passthrough:///bufconn", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) { return listener.Dial() }))
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	for i := range streams {
		stream, err := discoveryv3.NewAggregatedDiscoveryServiceClient(conn).DeltaAggregatedResources(ctx)
		if err == nil {
			err = stream.Send(&discoveryv3.DeltaDiscoveryRequest{Node: &corev3.Node{Id: fmt.Sprint(i)}, TypeUrl: resource.Cluster.URL()})
		}
		if err != nil {
			b.Fatal(err)
		}
		running.Go(func() { accept(stream) })
	}
	all := func() {
		for range streams {
			<-acks
		}
	}
	all()
	for b.Loop() {
		if tracing != nil {
			commitTraced(ctx, tracing, source.version+1)
		}
		source.change(b)
		all()
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/streams, "µs/push")
}

// accept acknowledges all that the stream gets, until it ends.
func accept(stream discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesClient) {
	for {
		m, err := stream.Recv()
		if err != nil || stream.Send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: m.GetTypeUrl(), ResponseNonce: m.GetNonce()}) != nil {
			return
		}
	}
}

type observer func(xds.Event)

func (o observer) Observe(e xds.Event) { o(e) }

// grown is configuration of one cluster that changes.
type grown struct {
	deltaplane.Publisher
	version deltaplane.Version
}

func (g *grown) change(b *testing.B) {
	g.version++
	r, err := resource.New(&clusterv3.Cluster{Name: "c", ConnectTimeout: durationpb.New(time.Duration(g.version) * time.Millisecond)})
	if err != nil {
		b.Fatal(err)
	}
	key := deltaplane.Key{Namespace: deltaplane.DefaultNamespace, Type: resource.Cluster, Name: "c"}
	g.Publish(deltaplane.NewSnapshot(g.version, time.Now(), radix.Tree[*deltaplane.Entry]{}.Put(key.Path(), &deltaplane.Entry{Resource: r})))
}
