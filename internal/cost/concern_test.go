package cost

import (
	"slices"
	"testing"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/xds"
)

// concerned is how many nodes a change concerns, whatever others there are.
const concerned = 10

// bystanders are what keeps other nodes out of a change.
var bystanders = []struct {
	name   string
	world  func(t *testing.T) *world
	joins  func(node string, concerned bool) []*discoveryv3.DeltaDiscoveryRequest
	change func(n int) (namespace string, m proto.Message)
}{
	{
		"by what they subscribe to",
		func(t *testing.T) *world { return newWorld(t, xds.Config{}, many(1000, endpoint)...) },
		func(node string, concerned bool) []*discoveryv3.DeltaDiscoveryRequest {
			name := "cluster-000008"
			if concerned {
				name = "cluster-000007"
			}
			return []*discoveryv3.DeltaDiscoveryRequest{{Node: envoy(node), TypeUrl: resource.Endpoint.URL(), ResourceNamesSubscribe: []string{name}}}
		},
		func(n int) (string, proto.Message) { return "default", endpoint(7, n) },
	},
	{
		"by their fleet",
		func(t *testing.T) *world {
			w := newWorld(t, xds.Config{}, many(1000, cluster)...)
			w.put("", team(0), team(1))
			w.put("team-0", cluster(7, 1))
			w.put("team-1", cluster(7, 1))
			w.commit()
			return w
		},
		func(node string, concerned bool) []*discoveryv3.DeltaDiscoveryRequest {
			team := "team-1-"
			if concerned {
				team = "team-0-"
			}
			return wildcards(resource.Cluster)(team + node)
		},
		func(n int) (string, proto.Message) { return "team-0", cluster(7, 1+n) },
	},
}

func TestNodesThatAChangeDoesNotConcernCostNothing(t *testing.T) {
	const others, changes = 200, 15
	for _, b := range bystanders {
		t.Run(b.name, func(t *testing.T) {
			w := b.world(t)
			join := func(n int, concerned bool) {
				w.join(n, 1, func(node string) []*discoveryv3.DeltaDiscoveryRequest { return b.joins(node, concerned) })
			}
			n := 0
			perChange := func() int64 {
				var bytes []int64
				for range changes {
					n++
					bytes = append(bytes, allocated(func() {
						w.put(b.change(n))
						w.await(concerned, w.commit)
					}))
				}
				slices.Sort(bytes)
				return bytes[len(bytes)/2]
			}
			join(concerned, true)
			alone := perChange()
			join(others, false)
			responses := w.heard.responses.Load()
			among := perChange()
			if got := w.heard.responses.Load() - responses; got != changes*concerned {
				t.Errorf("%d responses to %d changes that concern %d nodes", got, changes, concerned)
			}
			t.Logf("a change allocates %d bytes for %d nodes, %d beside %d others", alone, concerned, among, others)
			// A pointer to each stream in the list of those to look at, and slack.
			if each := (among - alone) / others; each > 48 {
				t.Errorf("%d bytes for each node that it does not concern", each)
			}
		})
	}
}
