package deltaplane

import (
	"fmt"
	"strings"
	"testing"

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
func patchRoute(t testing.TB, s *Store, i int, cluster string) {
	t.Helper()
	_, err := s.Patch(t.Context(), Key{DefaultNamespace, resource.VirtualHost, "rc/h"}, func(old *resource.Resource) (*resource.Resource, error) {
		now, problems := resource.ApplyPatch(old, []byte("route: "+wideRoute(i, cluster)+"\n"))
		if len(problems) > 0 {
			return nil, problems
		}
		return now, nil
	}, Options{})
	if err != nil {
		t.Fatal(err)
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
