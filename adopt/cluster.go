package adopt

import (
	"fmt"
	"strings"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane/resource"
)

const clusterType = resource.Cluster

// clusters moves the static clusters that nothing in the bootstrap needs.
func (m *mover) clusters() {
	all := m.static.Clusters
	m.static.Clusters = nil
	for i, c := range all {
		path := m.clusterPath(i)
		if why, stays := m.clustersStay[c.Name]; stays {
			m.note(path, fmt.Sprintf("cluster %q stays in the bootstrap: %s", c.Name, why))
			m.static.Clusters = append(m.static.Clusters, c)
			continue
		}
		m.cluster(path, c)
	}
}

// cluster moves one cluster, and its endpoints into a resource of their own.
func (m *mover) cluster(path string, c *clusterv3.Cluster) {
	m.dynamic(path, c)
	if endpoints := c.LoadAssignment; m.cfg.KeepEndpoints || endpoints == nil || c.GetClusterType() != nil || c.GetType() != clusterv3.Cluster_STATIC {
		m.must(path, c)
		return
	} else if why := changesOverEDS(c); why != "" {
		m.note(path+".load_assignment", fmt.Sprintf("the endpoints of cluster %q stay in it: %s", c.Name, why))
		m.must(path, c)
		return
	}
	endpoints := c.LoadAssignment
	endpoints.ClusterName = c.Name
	if why, ok := m.add(endpoints); !ok {
		m.note(path+".load_assignment", fmt.Sprintf("the endpoints of cluster %q stay in it: %s", c.Name, why))
		m.must(path, c)
		return
	}
	c.LoadAssignment = nil
	c.ClusterDiscoveryType = &clusterv3.Cluster_Type{Type: clusterv3.Cluster_EDS}
	c.EdsClusterConfig = &clusterv3.Cluster_EdsClusterConfig{EdsConfig: overADS()}
	m.must(path, c)
}

// must adds what stay has found fit to be a resource.
func (m *mover) must(path string, msg proto.Message) {
	if why, ok := m.add(msg); !ok {
		m.problem(path, why)
	}
}

// changesOverEDS says what the endpoints of a STATIC cluster do otherwise when
// they come by EDS, "" if nothing.
func changesOverEDS(c *clusterv3.Cluster) string {
	switch policy := c.LoadAssignment.GetPolicy(); {
	case strings.HasPrefix(c.Name, "xdstp:"):
		return "Envoy would ask for them by another name"
	case policy.GetEndpointStaleAfter() != nil:
		return "policy.endpoint_stale_after would begin to count"
	case len(c.LoadAssignment.NamedEndpoints) > 0:
		return "named_endpoints mean nothing over EDS"
	}
	// Over EDS, Envoy keeps the first of several with one address.
	seen := map[string]bool{}
	for _, l := range c.LoadAssignment.Endpoints {
		for _, e := range l.LbEndpoints {
			address := addressOf(e)
			if seen[address] {
				return "an address stands twice, which over EDS would count once"
			}
			seen[address] = true
		}
	}
	return ""
}

func addressOf(e *endpointv3.LbEndpoint) string {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(e.GetEndpoint().GetAddress())
	if err != nil {
		return ""
	}
	return string(b)
}
