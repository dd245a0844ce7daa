package e2e

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthgrpc "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/xds"

	"github.com/deltaplane/deltaplane/internal/envoy"
	"github.com/deltaplane/deltaplane/internal/envoytest"
)

// named is a gRPC service that answers with its name, in a header.
type named struct {
	healthgrpc.UnimplementedHealthServer
	name string
}

func (n named) Check(ctx context.Context, _ *healthgrpc.HealthCheckRequest) (*healthgrpc.HealthCheckResponse, error) {
	if err := grpc.SetHeader(ctx, metadata.Pairs("served-by", n.name)); err != nil {
		return nil, err
	}
	return &healthgrpc.HealthCheckResponse{Status: healthgrpc.HealthCheckResponse_SERVING}, nil
}

// grpcBackend runs a gRPC server and returns its port.
func grpcBackend(t *testing.T, name string) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	healthgrpc.RegisterHealthServer(s, named{name: name})
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().(*net.TCPAddr).Port
}

// weighted are endpoints as gRPC wants them: it ignores localities that have
// no weight.
func weighted(cluster string, port int) string {
	return fmt.Sprintf(`"@type": type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment
cluster_name: %s
endpoints:
- locality: {zone: a}
  load_balancing_weight: 1
  lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: %d}}}}]
`, cluster, port)
}

const apiListener = `"@type": type.googleapis.com/envoy.config.listener.v3.Listener
name: shop
api_listener:
  api_listener:
    "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
    stat_prefix: shop
    rds: {route_config_name: shop, config_source: SOURCE}
    http_filters: [{name: router, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}]
`

// gRPC asks for a listener by name rather than for all, and does without Envoy.
func TestAGRPCClientResolvesThroughTheControlPlane(t *testing.T) {
	plane := envoytest.StartPlane(t)
	mode := envoy.SotwADS
	plane.Apply(documents(mode, apiListener, table("shop", "{match: {prefix: \"\"}, route: {cluster: blue}}"),
		cluster("blue"), weighted("blue", grpcBackend(t, "blue")), cluster("green"), weighted("green", grpcBackend(t, "green"))))

	resolver, err := xds.NewXDSResolverWithConfigForTesting(fmt.Appendf(nil, `{
		"xds_servers": [{"server_uri": %q, "channel_creds": [{"type": "insecure"}], "server_features": ["xds_v3"]}],
		"node": {"id": "grpc-client", "cluster": "shop"}}`, plane.XDS))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := grpc.NewClient("xds:///shop", grpc.WithResolvers(resolver), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	servedBy := func(want string) {
		t.Helper()
		envoytest.Eventually(t, "an answer from "+want, func(ctx context.Context) error {
			var header metadata.MD
			_, err := healthgrpc.NewHealthClient(conn).Check(ctx, &healthgrpc.HealthCheckRequest{}, grpc.Header(&header))
			if err != nil {
				return err
			}
			if got := strings.Join(header.Get("served-by"), ","); got != want {
				return fmt.Errorf("the answer is from %q", got)
			}
			return nil
		})
	}
	servedBy("blue")
	plane.ApplyWait(table("shop", "{match: {prefix: \"\"}, route: {cluster: green}}"))
	servedBy("green")

	proxy, err := plane.Status(envoytest.Context(t), "grpc-client")
	if err != nil {
		t.Fatal(err)
	}
	if !proxy.Connected || proxy.Refusals != 0 {
		t.Errorf("status is %+v, want connected without refusals", proxy)
	}
}
