package view

import (
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// failer is what *testing.T and *rapid.T have in common.
type failer interface {
	Helper()
	Fatal(args ...any)
}

func made(t failer, m proto.Message) *resource.Resource {
	t.Helper()
	r, err := resource.New(m)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// cluster is an EDS cluster whose content differs with n.
func cluster(t failer, name string, n int) *resource.Resource {
	config := &clusterv3.Cluster_EdsClusterConfig{EdsConfig: ads()}
	if resource.IsURN(name) {
		config.ServiceName = "endpoints"
	}
	return made(t, &clusterv3.Cluster{
		Name: name, ConnectTimeout: durationpb.New(time.Duration(n+1) * time.Second),
		ClusterDiscoveryType: &clusterv3.Cluster_Type{Type: clusterv3.Cluster_EDS},
		EdsClusterConfig:     config,
	})
}

func ads() *corev3.ConfigSource {
	return &corev3.ConfigSource{ResourceApiVersion: corev3.ApiVersion_V3,
		ConfigSourceSpecifier: &corev3.ConfigSource_Ads{Ads: &corev3.AggregatedConfigSource{}}}
}

// shell is a route configuration without hosts.
func shell(t failer, name string, vhds bool, n int) *resource.Resource {
	m := &routev3.RouteConfiguration{Name: name, ResponseHeadersToRemove: []string{"x-" + string(rune('a'+n))}}
	if vhds {
		m.Vhds = &routev3.Vhds{ConfigSource: ads()}
	}
	return made(t, m)
}

// host is a virtual host that sends its domains to a cluster.
func host(t failer, name, cluster string, domains ...string) *resource.Resource {
	return made(t, &routev3.VirtualHost{Name: name, Domains: domains, Routes: []*routev3.Route{{
		Match: &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Prefix{Prefix: "/"}},
		Action: &routev3.Route_Route{Route: &routev3.RouteAction{
			ClusterSpecifier: &routev3.RouteAction_Cluster{Cluster: cluster}}},
	}}})
}

// store is a snapshot that grows.
type store struct {
	version deltaplane.Version
	tree    radix.Tree[*deltaplane.Entry]
}

func (s *store) put(namespace string, r *resource.Resource, inline bool) {
	k := deltaplane.Key{Namespace: namespace, Type: r.Type(), Name: r.Name()}
	s.tree = s.tree.Put(k.Path(), &deltaplane.Entry{Resource: r, Inline: inline})
}

func (s *store) drop(namespace string, t resource.Type, name string) {
	s.tree = s.tree.Delete(deltaplane.Key{Namespace: namespace, Type: t, Name: name}.Path())
}

func (s *store) commit() *deltaplane.Snapshot {
	s.version++
	return deltaplane.NewSnapshot(s.version, time.Time{}, s.tree)
}

// table is a Table of the given resources.
func table(resources ...*resource.Resource) Table {
	x := Table{}.Txn()
	for _, r := range resources {
		x.Put(r.Name(), of(r))
	}
	return x.Commit()
}
