package deltaplane

import (
	"fmt"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane/internal/invariant"
	"github.com/deltaplane/deltaplane/resource"
)

// wideTable is a route configuration whose only host has n routes.
func wideTable(n int) string {
	var b strings.Builder
	b.WriteString("---\n'@type': type.googleapis.com/envoy.config.route.v3.RouteConfiguration\nname: rc\nvirtual_hosts:\n- name: h\n  domains: [h.example]\n  routes:\n")
	for i := range n {
		fmt.Fprintf(&b, "  - %s\n", wideRoute(i, "a"))
	}
	return b.String()
}

// wideRoute is a route of wideTable, in YAML.
func wideRoute(i int, cluster string) string {
	return fmt.Sprintf("{name: route-%d, match: {prefix: /route-%[1]d/}, route: {cluster: %s}}", i, cluster)
}

// patchRoute changes one route of wideTable.
func patchRoute(t testing.TB, s *Store, i int, cluster string) *Plan {
	t.Helper()
	p, err := s.Patch(t.Context(), Key{DefaultNamespace, resource.VirtualHost, "rc/h"}, func(old *resource.Resource) (*resource.Resource, error) {
		now, problems := resource.ApplyPatch(old, []byte("route: "+wideRoute(i, cluster)+"\n"))
		if len(problems) > 0 {
			return nil, problems
		}
		return now, nil
	}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAPatchedRouteCostsTheSameAmongManyOfItsHost(t *testing.T) {
	cost := func(n int) float64 {
		s := open(t, Config{MaxCommits: 100_000}) // no upkeep meanwhile
		apply(t, s, clusterYAML("a", 1)+clusterYAML("b", 1)+wideTable(n), Options{})
		patchRoute(t, s, n-1, "b") // looks everywhere
		i := 0
		return allocated(func() {
			i++
			patchRoute(t, s, i*79%n, "b")
		})
	}
	few, many := cost(2000), cost(10_000)
	t.Logf("%.0f bytes among 2,000 routes, %.0f among 10,000", few, many)
	if many > 1.5*few && !invariant.Enabled { // which reads all of the host
		t.Errorf("a patched route takes %.0f bytes among 2,000 of its host and %.0f among 10,000", few, many)
	}
}

func TestAPatchThatChangesNothingChecksNoOtherRoute(t *testing.T) {
	s := open(t, Config{})
	apply(t, s, clusterYAML("a", 1)+wideTable(100)+"  - {name: lost, match: {prefix: /lost}, route: {cluster: none}}\n", Options{})
	at := s.Latest().Version()
	p := patchRoute(t, s, 7, "a")
	if p.Version != at || len(p.Warnings) != 0 || len(p.Steps) != 1 || p.Steps[0].Action != Unchanged {
		t.Errorf("version %d, steps %v, warnings %v", p.Version, p.Steps, p.Warnings)
	}
	if p := patchRoute(t, s, 7, "none"); !strings.Contains(p.Warnings.Error(), `routes[7].route.cluster: refers to Cluster "none"`) {
		t.Errorf("the new route's warnings are %v", p.Warnings)
	}
}

// BenchmarkPatchRoute is a changed route among n of the same host, from YAML
// to the commit.
func BenchmarkPatchRoute(b *testing.B) {
	for _, n := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := open(b, Config{MaxCommits: 100_000}) // no upkeep meanwhile
			apply(b, s, clusterYAML("a", 1)+clusterYAML("b", 1)+wideTable(n), Options{})
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				i++
				patchRoute(b, s, i%n*7919%n, []string{"b", "a"}[i/n%2])
			}
		})
	}
}

// BenchmarkApplyWholeTable is a file of 10,000 routes in which one has changed,
// in YAML, from its bytes to the commit.
func BenchmarkApplyWholeTable(b *testing.B) {
	s := open(b, Config{MaxCommits: 100_000})
	apply(b, s, clusterYAML("a", 1)+clusterYAML("b", 1), Options{})
	files := []string{wideTable(10_000), strings.Replace(wideTable(10_000), "cluster: a", "cluster: b", 1)}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i++
		apply(b, s, files[i%2], Options{})
	}
}
