package xds

import (
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
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

// store is configuration that grows, and publishes itself.
type store struct {
	deltaplane.Publisher
	version deltaplane.Version
	tree    radix.Tree[*deltaplane.Entry]
}

func (s *store) put(t failer, messages ...proto.Message) {
	t.Helper()
	for _, m := range messages {
		r, err := resource.New(m)
		if err != nil {
			t.Fatal(err)
		}
		k := deltaplane.Key{Namespace: "default", Type: r.Type(), Name: r.Name()}
		s.tree = s.tree.Put(k.Path(), &deltaplane.Entry{Resource: r})
	}
}

func (s *store) drop(t resource.Type, name string) {
	s.tree = s.tree.Delete(deltaplane.Key{Namespace: "default", Type: t, Name: name}.Path())
}

// commit publishes what was put and dropped.
func (s *store) commit() *deltaplane.Snapshot {
	s.version++
	snapshot := deltaplane.NewSnapshot(s.version, time.Now(), s.tree)
	s.Publish(snapshot)
	return snapshot
}

// cluster is an EDS cluster whose content differs with n.
func cluster(name string, n int) proto.Message {
	return &clusterv3.Cluster{
		Name: name, ConnectTimeout: durationpb.New(time.Duration(n+1) * time.Second),
		ClusterDiscoveryType: &clusterv3.Cluster_Type{Type: clusterv3.Cluster_EDS},
		EdsClusterConfig: &clusterv3.Cluster_EdsClusterConfig{EdsConfig: &corev3.ConfigSource{
			ResourceApiVersion: corev3.ApiVersion_V3, ConfigSourceSpecifier: &corev3.ConfigSource_Ads{Ads: &corev3.AggregatedConfigSource{}}}},
	}
}

func endpoints(name string, n int) proto.Message {
	return &endpointv3.ClusterLoadAssignment{ClusterName: name, Policy: &endpointv3.ClusterLoadAssignment_Policy{
		EndpointStaleAfter: durationpb.New(time.Duration(n+1) * time.Second)}}
}

// route sends everything to a cluster.
func route(name, cluster string, n int) proto.Message {
	return &routev3.RouteConfiguration{
		Name: name, ResponseHeadersToRemove: []string{"x-" + string(rune('a'+n))},
		RequestMirrorPolicies: []*routev3.RouteAction_RequestMirrorPolicy{{Cluster: cluster}},
	}
}
