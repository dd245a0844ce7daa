package swarm

import (
	"fmt"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/proto"
)

// NodeID is how the proxy of number i calls itself.
func NodeID(i int) string { return fmt.Sprintf("node-%05d", i) }

// node is the encoded core.v3.Node of proxy i, without extensions.
func (c *Config) node(i int) ([]byte, error) {
	cluster := c.Cluster
	if i < c.Marked {
		cluster = c.MarkedCluster
	}
	return proto.Marshal(&corev3.Node{
		Id: NodeID(c.First + i), Cluster: cluster, UserAgentName: "deltaplane-bench",
		Locality: &corev3.Locality{Region: "region-1", Zone: "zone-a"},
	})
}

// extensions are the rest of an encoded node: so many, each of the size that
// those of an Envoy have.
func extensions(count int) ([]byte, error) {
	n := &corev3.Node{}
	for e := range count {
		n.Extensions = append(n.Extensions, &corev3.Extension{
			Name:     fmt.Sprintf("envoy.bench.extension_%03d", e),
			Category: "envoy.filters.http",
			TypeUrls: []string{fmt.Sprintf("envoy.extensions.filters.http.bench_%03d.v3.Configuration", e)},
		})
	}
	return proto.Marshal(n)
}
