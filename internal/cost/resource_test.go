package cost

import (
	"fmt"
	"slices"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

// cluster is a cluster whose endpoints come over the stream, and whose content
// differs with n.
func cluster(i, n int) proto.Message {
	return &clusterv3.Cluster{
		Name: fmt.Sprintf("cluster-%06d", i), ConnectTimeout: durationpb.New(time.Duration(n+1) * time.Millisecond),
		ClusterDiscoveryType: &clusterv3.Cluster_Type{Type: clusterv3.Cluster_EDS},
		EdsClusterConfig: &clusterv3.Cluster_EdsClusterConfig{EdsConfig: &corev3.ConfigSource{
			ResourceApiVersion: corev3.ApiVersion_V3, ConfigSourceSpecifier: &corev3.ConfigSource_Ads{Ads: &corev3.AggregatedConfigSource{}}}},
	}
}

// endpoint is where a cluster leads to: to another port with another n.
func endpoint(i, n int) proto.Message {
	return &endpointv3.ClusterLoadAssignment{ClusterName: fmt.Sprintf("cluster-%06d", i), Endpoints: []*endpointv3.LocalityLbEndpoints{{
		LbEndpoints: []*endpointv3.LbEndpoint{{HostIdentifier: &endpointv3.LbEndpoint_Endpoint{Endpoint: &endpointv3.Endpoint{
			Address: &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
				Address: "10.0.0.1", PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: uint32(1 + n%65_000)}}}},
		}}}},
	}}}
}

// many are n of one kind.
func many(n int, of func(i, n int) proto.Message) []proto.Message {
	list := make([]proto.Message, n)
	for i := range list {
		list[i] = of(i, 0)
	}
	return list
}

// table is a route configuration of a hundred routes.
func table(i, n int) proto.Message {
	host := &routev3.VirtualHost{Name: "all", Domains: []string{"*"}}
	for r := range 100 {
		host.Routes = append(host.Routes, &routev3.Route{
			Match:  &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Prefix{Prefix: fmt.Sprintf("/service-%d-%d/", r, n)}},
			Action: &routev3.Route_Route{Route: &routev3.RouteAction{ClusterSpecifier: &routev3.RouteAction_Cluster{Cluster: fmt.Sprintf("cluster-%06d", r)}}},
		})
	}
	return &routev3.RouteConfiguration{Name: fmt.Sprintf("table-%06d", i), VirtualHosts: []*routev3.VirtualHost{host}}
}

// listener passes connections on to a cluster.
func listener(i, n int) proto.Message {
	return &listenerv3.Listener{
		Name: fmt.Sprintf("listener-%06d", i), StatPrefix: fmt.Sprint("n", n),
		Address: &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
			Address: "127.0.0.1", PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: uint32(10_000 + i)}}}},
	}
}

// mixture is about n resources of the four types that a gateway has.
func mixture(n int) []proto.Message {
	return slices.Concat(many(n*9/20, cluster), many(n*9/20, endpoint), many(n/20, table), many(n/20, listener))
}
