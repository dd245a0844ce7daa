package view

import (
	"testing"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

func TestFieldNumbersAreThoseOfTheMessages(t *testing.T) {
	for _, c := range []struct {
		message proto.Message
		field   protoreflect.Name
		number  protowire.Number
	}{
		{&clusterv3.Cluster{}, "type", clusterType},
		{&clusterv3.Cluster{}, "eds_cluster_config", clusterEDSConfig},
		{&clusterv3.Cluster_EdsClusterConfig{}, "service_name", edsServiceName},
		{&routev3.ScopedRouteConfiguration{}, "route_configuration_name", scopeRoutes},
		{&routev3.ScopedRouteConfiguration{}, "on_demand", scopeOnDemand},
		{&routev3.RouteConfiguration{}, "vhds", routeVHDS},
		{&routev3.VirtualHost{}, "domains", hostDomains},
	} {
		field := c.message.ProtoReflect().Descriptor().Fields().ByName(c.field)
		if field == nil || field.Number() != c.number {
			t.Errorf("%T.%s is not field %d", c.message, c.field, c.number)
		}
	}
	if uint64(clusterv3.Cluster_EDS) != clusterTypeEDS {
		t.Error("the enum value of EDS differs")
	}
}

func TestAnEDSClusterNamesItsEndpoints(t *testing.T) {
	config := &clusterv3.Cluster{Name: "c", ClusterDiscoveryType: &clusterv3.Cluster_Type{Type: clusterv3.Cluster_EDS},
		EdsClusterConfig: &clusterv3.Cluster_EdsClusterConfig{EdsConfig: ads()}}
	if name, ok := EndpointsOf(of(made(t, config))); !ok || name != "c" {
		t.Errorf("without a service name: %q %v", name, ok)
	}
	config.EdsClusterConfig.ServiceName = "s"
	if name, ok := EndpointsOf(of(made(t, config))); !ok || name != "s" {
		t.Errorf("with a service name: %q %v", name, ok)
	}
	if _, ok := EndpointsOf(of(made(t, &clusterv3.Cluster{Name: "static"}))); ok {
		t.Error("a static cluster has endpoints")
	}
	if _, ok := EndpointsOf(of(host(t, "r/h", "c", "*"))); ok {
		t.Error("a virtual host has endpoints")
	}
}

func TestMentionsFindsWholeStringsOnly(t *testing.T) {
	r := of(host(t, "r/h", "pay", "example.com"))
	for name, want := range map[string]bool{"pay": true, "pa": false, "ay": false, "payment": false, "example.com": true} {
		if got := Mentions(r, []string{"nothing", name}); got != want {
			t.Errorf("mentions %q: %v, want %v", name, got, want)
		}
	}
}
