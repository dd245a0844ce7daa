package main

import (
	"slices"
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	tcpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/tcp_proxy/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/internal/envoytest"
	"github.com/deltaplane/deltaplane/resource"
)

// tcpProxy is a listener whose connections all lead to a cluster.
func tcpProxy(t *testing.T, name, cluster string) proto.Message {
	t.Helper()
	filter, err := anypb.New(&tcpv3.TcpProxy{StatPrefix: name, ClusterSpecifier: &tcpv3.TcpProxy_Cluster{Cluster: cluster}})
	if err != nil {
		t.Fatal(err)
	}
	return &listenerv3.Listener{Name: name,
		Address: &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
			Address: "127.0.0.1", PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: 1}}}},
		FilterChains: []*listenerv3.FilterChain{{Filters: []*listenerv3.Filter{
			{Name: "tcp", ConfigType: &listenerv3.Filter_TypedConfig{TypedConfig: filter}}}}}}
}

// What the listener's connections lead to goes later than what nothing leads
// to: by default after seconds, and here after so little that both go together.
func TestClustersOutliveTheirListenersForAsLongAsServeIsTold(t *testing.T) {
	for drain, want := range map[string][]string{"1ns": {"free", "used"}, "1h": {"free"}} {
		t.Run(drain, func(t *testing.T) {
			if got := removedFirst(t, "--envoy-drain="+drain); !slices.Equal(got, want) {
				t.Errorf("the first clusters to go are %q, want %q", got, want)
			}
		})
	}
}

// removedFirst commits the removal of a listener, of the cluster that it
// leads to and of another, and returns the names of the first clusters that
// an Envoy is told to remove.
func removedFirst(t *testing.T, args ...string) []string {
	t.Helper()
	srv := start(t, args...)
	all := []proto.Message{tcpProxy(t, "l", "used")}
	for _, name := range []string{"free", "used"} {
		all = append(all, &clusterv3.Cluster{Name: name, ConnectTimeout: durationpb.New(time.Second)})
	}
	commit := func(there bool) {
		t.Helper()
		_, err := srv.store.Commit(t.Context(), func(b *deltaplane.Batch) error {
			for _, m := range all {
				r, err := resource.New(m)
				if err != nil {
					return err
				}
				k := deltaplane.Key{Namespace: deltaplane.DefaultNamespace, Type: r.Type(), Name: r.Name()}
				if there {
					b.Put(k, deltaplane.Entry{Resource: r})
				} else {
					b.Delete(k)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	commit(true)
	conn, err := grpc.NewClient(srv.xdsAddress, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	stream, err := discoveryv3.NewAggregatedDiscoveryServiceClient(conn).DeltaAggregatedResources(envoytest.Context(t))
	if err != nil {
		t.Fatal(err)
	}
	say := func(q *discoveryv3.DeltaDiscoveryRequest) {
		t.Helper()
		if err := stream.Send(q); err != nil {
			t.Fatal(err)
		}
	}
	for _, typ := range []resource.Type{resource.Cluster, resource.Listener} {
		say(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: typ.URL(), Node: &corev3.Node{Id: "edge-1", UserAgentName: "envoy"}})
	}
	for heard := 0; ; {
		r, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if r.TypeUrl == resource.Cluster.URL() && len(r.RemovedResources) > 0 {
			return r.RemovedResources
		}
		say(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: r.TypeUrl, ResponseNonce: r.Nonce})
		if heard++; heard == 2 {
			commit(false)
		}
	}
}
