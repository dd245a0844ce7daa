package deltaplane

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
)

// fleetYAML is a fleet of all nodes that receives the namespaces.
func fleetYAML(name, static string, namespaces ...string) string {
	return fmt.Sprintf("---\n'@type': type.googleapis.com/deltaplane.v1.Fleet\nname: %s\nselectors: [{}]\nnamespaces: [%s]\nstatic_resources: [%s]\n",
		name, strings.Join(namespaces, ", "), static)
}

// edsYAML is a cluster with endpoints of its name.
func edsYAML(name string) string {
	return fmt.Sprintf("---\n'@type': type.googleapis.com/envoy.config.cluster.v3.Cluster\nname: %s\ntype: EDS\neds_cluster_config: {eds_config: {ads: {}, resource_api_version: V3}}\n", name)
}

func endpointsYAML(name string) string {
	return fmt.Sprintf("---\n'@type': type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment\ncluster_name: %s\n", name)
}

// referenceStep is a change, and what is to be said about it.
type referenceStep struct {
	apply string
	del   []Key
	o     Options
	want  string // warnings, one per line
}

func in(namespace string) Options { return Options{Namespace: namespace} }

var referenceCases = map[string][]referenceStep{
	"a route to a cluster that is not there": {
		{apply: routeYAML("rc", "x=a"), want: `VirtualHost "rc/x": routes[0].route.cluster: refers to Cluster "a", which does not exist in namespace "default"`},
		{apply: clusterYAML("a", 1)},
	},
	"a route that is applied again as it is": {
		{apply: routeYAML("rc", "x=a"), want: `VirtualHost "rc/x": routes[0].route.cluster: refers to Cluster "a", which does not exist in namespace "default"`},
		{apply: routeYAML("rc", "x=a"), want: `VirtualHost "rc/x": routes[0].route.cluster: refers to Cluster "a", which does not exist in namespace "default"`},
	},
	"a route whose cluster comes with it": {
		{apply: routeYAML("rc", "x=a") + clusterYAML("a", 1)},
	},
	"a cluster without its endpoints": {
		{apply: edsYAML("a"), want: `Cluster "a": name: refers to Endpoint "a", which does not exist in namespace "default"`},
		{apply: endpointsYAML("a")},
		{del: []Key{{DefaultNamespace, resource.Endpoint, "a"}}, want: `Endpoint "a": still used by Cluster/a`},
	},
	"a cluster that is still used": {
		{apply: routeYAML("rc", "x=a") + clusterYAML("a", 1)},
		{del: []Key{clusterKey("a")}, want: `Cluster "a": still used by VirtualHost/rc/x`},
	},
	"a cluster that is removed with its user": {
		{apply: routeYAML("rc", "x=a") + clusterYAML("a", 1)},
		{del: []Key{clusterKey("a"), {DefaultNamespace, resource.Route, "rc"}}},
	},
	"a cluster in another namespace of the fleet": {
		{apply: fleetYAML("f", "", "shared", "team")},
		{apply: clusterYAML("a", 1), o: in("shared")},
		{apply: routeYAML("rc", "x=a"), o: in("team")},
		{del: []Key{{"shared", resource.Cluster, "a"}}, o: in("shared"), want: `Cluster "a": still used by VirtualHost/rc/x in fleet "f"`},
	},
	"a cluster that another namespace of the fleet has, too": {
		{apply: fleetYAML("f", "", "shared", "team")},
		{apply: clusterYAML("a", 1), o: in("shared")},
		{apply: clusterYAML("a", 2) + routeYAML("rc", "x=a"), o: in("team")},
		{del: []Key{{"shared", resource.Cluster, "a"}}, o: in("shared")},
	},
	"a namespace that one of two fleets lacks": {
		{apply: fleetYAML("f", "", "shared", "team") + fleetYAML("g", "", "team")},
		{apply: clusterYAML("a", 1), o: in("shared")},
		{apply: routeYAML("rc", "x=a"), o: in("team"), want: `VirtualHost "rc/x": routes[0].route.cluster: refers to Cluster "a", which fleet "g" does not receive`},
	},
	"a static cluster of the bootstrap": {
		{apply: fleetYAML("f", "a", "default")},
		{apply: routeYAML("rc", "x=a")},
	},
	"a route that a later namespace overrides": {
		{apply: fleetYAML("f", "", "base", "team")},
		{apply: clusterYAML("b", 1) + routeYAML("rc", "x=b"), o: in("team")},
		{apply: routeYAML("rc", "x=none"), o: in("base")},
	},
	"a fleet that changes": {
		{apply: clusterYAML("a", 1), o: in("shared")},
		{apply: fleetYAML("f", "", "shared", "team")},
		{apply: routeYAML("rc", "x=a"), o: in("team")},
		{apply: fleetYAML("f", "", "team"), want: `VirtualHost "rc/x": routes[0].route.cluster: refers to Cluster "a", which fleet "f" does not receive`},
	},
	"a host of its own without its route configuration": {
		{apply: clusterYAML("a", 1) + hostYAML("rc/h", "a"), want: `VirtualHost "rc/h": there is no route configuration "rc" in namespace "default" for this host`},
		{apply: routeYAML("rc", "x=a")},
		{del: []Key{{DefaultNamespace, resource.Route, "rc"}}, want: `VirtualHost "rc/h": route configuration "rc" is removed, and this host of it stays`},
	},
}

func TestReferencesToNothingAreToldOf(t *testing.T) {
	for name, steps := range referenceCases {
		t.Run(name, func(t *testing.T) {
			s := open(t, Config{})
			for i, c := range steps {
				run := func(o Options) (*Plan, error) {
					if c.del != nil {
						return s.Delete(t.Context(), c.del, false, o)
					}
					return s.Apply(t.Context(), documents(t, c.apply), false, o)
				}
				strict := c.o
				strict.StrictRefs, strict.DryRun = true, true
				refers := strings.Contains(c.want, "refers to") || strings.Contains(c.want, "still used")
				if _, err := run(strict); errors.Is(err, ErrDangling) != refers {
					t.Errorf("step %d, strict: %v", i, err)
				}
				p, err := run(c.o)
				if err != nil {
					t.Fatal(err)
				}
				if got := p.Warnings.Error(); got != c.want {
					t.Errorf("step %d: warnings are\n%s\nwant\n%s", i, got, c.want)
				}
				for _, w := range p.Warnings {
					if !w.Warning {
						t.Errorf("step %d: %v is no warning", i, w)
					}
				}
			}
		})
	}
}

func TestTheIndexOfUsersFollowsTheTree(t *testing.T) {
	s := open(t, Config{})
	followed := &userIndex{}
	keys := []Key{clusterKey("a"), clusterKey("b"), clusterKey("c")}
	for i, y := range []string{
		routeYAML("rc", "x=a", "y=b"), routeYAML("rc", "x=b", "y=b"), hostYAML("rc/z", "a"), hostYAML("rc/z", "c"),
		largeHost(2000, 0, "a"), largeHost(2000, 7, "b"), largeHost(2000, 1999, "a"), largeHost(10, 0, "c"), largeHost(2000, 3, "c"),
	} {
		apply(t, s, y, Options{})
		tree := s.Latest().Tree()
		got, want := followed.of(tree, keys), (&userIndex{}).of(tree, keys)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("after %d: %v, want %v", i, got, want)
		}
	}
	if got := followed.of(radix.Tree[*Entry]{}, keys); fmt.Sprint(got[target{resource.Cluster, "a"}]) != "[]" || len(followed.users) != 0 {
		t.Errorf("of the empty tree: %v, %d left", got, len(followed.users))
	}
}

// largeHost is a host of n routes to cluster "a", the i-th of them to another.
func largeHost(n, i int, cluster string) string {
	var b strings.Builder
	b.WriteString("---\n'@type': type.googleapis.com/envoy.config.route.v3.VirtualHost\nname: rc/large\ndomains: ['large.example']\nroutes:\n")
	for j := range n {
		to := "a"
		if j == i {
			to = cluster
		}
		fmt.Fprintf(&b, "- {name: r%d, match: {path: /some/long/path/%d}, route: {cluster: %s}}\n", j, j, to)
	}
	return b.String()
}

func TestAChangeOfOneRouteChecksNoOthers(t *testing.T) {
	s := open(t, Config{})
	apply(t, s, clusterYAML("a", 1)+largeHost(2000, 0, "a"), Options{})
	k := Key{DefaultNamespace, resource.VirtualHost, "rc/large"}
	old, _ := s.Latest().Get(k)
	apply(t, s, largeHost(2000, 7, "b"), Options{})
	e, _ := s.Latest().Get(k)
	parts := freshParts(old, e)
	if total := len(e.Resource.Segments()); total < 4 || len(parts) != 1 {
		t.Errorf("%d of %d segments are looked at by the index of users", len(parts), total)
	}
	if refs := freshReferences(old, e); len(refs) != 1 || refs[0].Name != "b" {
		t.Errorf("one route has changed, and %v are checked", refs)
	}
	if p := apply(t, s, largeHost(2000, 7, "none"), Options{}); !strings.Contains(p.Warnings.Error(), `routes[7].route.cluster: refers to Cluster "none"`) {
		t.Errorf("warnings are %v", p.Warnings)
	}
}
