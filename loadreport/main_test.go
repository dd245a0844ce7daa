package loadreport

import (
	"context"
	"net"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	loadv3 "github.com/envoyproxy/go-control-plane/envoy/service/load_stats/v3"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/durationpb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs a server and returns a client of it.
func serve(t *testing.T, cfg Config) (*Server, loadv3.LoadReportingServiceClient) {
	t.Helper()
	s, listen, g := New(cfg), bufconn.Listen(1<<20), grpc.NewServer(grpc.MaxRecvMsgSize(64<<20))
	s.Register(g)
	served := make(chan error, 1)
	go func() { served <- g.Serve(listen) }()
	conn, err := grpc.NewClient("passthrough:///load", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listen.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		conn.Close()
		g.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return s, loadv3.NewLoadReportingServiceClient(conn)
}

// client is one that reports.
type client struct {
	t      *testing.T
	stream loadv3.LoadReportingService_StreamLoadStatsClient
	hangUp context.CancelFunc
}

// dial says who it is and waits for what it is asked for.
func dial(t *testing.T, c loadv3.LoadReportingServiceClient, node string) (*client, *loadv3.LoadStatsResponse) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	stream, err := c.StreamLoadStats(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&loadv3.LoadStatsRequest{Node: &corev3.Node{Id: node}}); err != nil {
		t.Fatal(err)
	}
	asked, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	return &client{t, stream, cancel}, asked
}

func (c *client) report(clusters ...*endpointv3.ClusterStats) {
	c.t.Helper()
	if err := c.stream.Send(&loadv3.LoadStatsRequest{ClusterStats: clusters}); err != nil {
		c.t.Fatal(err)
	}
}

// load is a cluster's report of one locality and endpoint, over a second.
func load(cluster string, issued, failed uint64) *endpointv3.ClusterStats {
	return &endpointv3.ClusterStats{
		ClusterName: cluster, LoadReportInterval: durationpb.New(time.Second),
		UpstreamLocalityStats: []*endpointv3.UpstreamLocalityStats{{
			Locality: &corev3.Locality{Zone: "a"}, TotalIssuedRequests: issued, TotalErrorRequests: failed, TotalSuccessfulRequests: issued - failed,
			UpstreamEndpointStats: []*endpointv3.UpstreamEndpointStats{{
				Address: &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
					Address: "10.0.0.1", PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: 80},
				}}},
				TotalIssuedRequests: issued,
			}},
		}},
	}
}

// eventually waits until what another goroutine takes in is there.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.After(30 * time.Second); !holds(); {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("waited for %s", what)
		}
	}
}

// gather reads the server's metrics: by name, with the labels' values behind.
func gather(t *testing.T, s *Server) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(s)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	samples := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			name := family.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			samples[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return samples
}
