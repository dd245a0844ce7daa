package view

import (
	"fmt"
	"slices"
	"testing"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
)

func TestAViewDerivedStepByStepEqualsOneMadeAnew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		namespaces := []string{"n1", "n2"}
		var s store
		derived := New(s.commit(), namespaces)
		for range rapid.IntRange(1, 12).Draw(t, "commits") {
			for range rapid.IntRange(1, 4).Draw(t, "changes") {
				randomChange(t, &s)
			}
			derived = derived.At(s.commit())
			anew := New(deltaplane.NewSnapshot(s.version, derived.Time(), s.tree), namespaces)
			for _, typ := range resource.Served() {
				if a, b := derived.Table(typ), anew.Table(typ); a.Hash() != b.Hash() {
					t.Fatalf("%s: derived %v, anew %v", typ.Short(), names(a), names(b))
				}
			}
			if derived.domains.Hash() != anew.domains.Hash() {
				t.Fatalf("domains: derived %v, anew %v", names(derived.domains), names(anew.domains))
			}
		}
	})
}

// randomChange touches one of few names, so that overrides, switches to VHDS
// and hosts without a route configuration come about.
func randomChange(t *rapid.T, s *store) {
	namespace := rapid.SampledFrom([]string{"n1", "n2", "elsewhere"}).Draw(t, "namespace")
	name := rapid.SampledFrom([]string{"a", "b", "a/b"}).Draw(t, "name")
	hostName := rapid.SampledFrom([]string{"x", "y"}).Draw(t, "host")
	n := rapid.IntRange(0, 2).Draw(t, "content")
	switch rapid.IntRange(0, 5).Draw(t, "change") {
	case 0:
		s.put(namespace, cluster(t, name, n), false)
	case 1:
		s.drop(namespace, resource.Cluster, name)
	case 2:
		s.put(namespace, shell(t, name, rapid.Bool().Draw(t, "vhds"), n), false)
	case 3:
		s.drop(namespace, resource.Route, name)
	case 4:
		domain := fmt.Sprintf("%s%d.%s", hostName, n, namespace) // one domain is never in two hosts of a view
		s.put(namespace, host(t, name+"/"+hostName, "c", domain), rapid.Bool().Draw(t, "inline"))
	case 5:
		s.drop(namespace, resource.VirtualHost, name+"/"+hostName)
	}
}

func names(table Table) (list []string) {
	for name, r := range table.All() {
		list = append(list, name+"@"+r.Digest().String()[:6])
	}
	return list
}

func TestALaterNamespaceOverridesARouteConfigurationWithItsHosts(t *testing.T) {
	var s store
	s.put("low", shell(t, "r", false, 0), false)
	s.put("low", host(t, "r/x", "c", "x"), true)
	s.put("high", shell(t, "r", false, 0), false)
	s.put("high", host(t, "r/y", "c", "y"), true)
	v := New(s.commit(), []string{"low", "high"})
	if got := hostsOf(t, v, "r"); !slices.Equal(got, []string{"y"}) {
		t.Errorf("hosts %q, want those of the later namespace alone", got)
	}
}

func hostsOf(t *testing.T, v *View, route string) (hosts []string) {
	t.Helper()
	r, ok := v.Table(resource.Route).Get(route)
	if !ok {
		t.Fatalf("no route configuration %q", route)
	}
	var m routev3.RouteConfiguration
	if err := proto.Unmarshal(slices.Concat(r.Body()...), &m); err != nil {
		t.Fatal(err)
	}
	for _, h := range m.VirtualHosts {
		hosts = append(hosts, h.Name)
	}
	return hosts
}

func TestWithVHDSOnlyInlineHostsStandInTheRouteConfiguration(t *testing.T) {
	var s store
	s.put("default", shell(t, "r", true, 0), false)
	s.put("default", host(t, "r/in", "c", "in"), true)
	s.put("default", host(t, "r/doc", "c", "doc"), false)
	v := New(s.commit(), []string{"default"})
	if got := hostsOf(t, v, "r"); !slices.Equal(got, []string{"in"}) {
		t.Errorf("hosts inside: %q", got)
	}
	if _, ok := v.Table(resource.VirtualHost).Get("r/doc"); !ok || v.Table(resource.VirtualHost).Len() != 1 {
		t.Errorf("over VHDS: %v", names(v.Table(resource.VirtualHost)))
	}

	s.put("default", shell(t, "r", false, 0), false)
	v = v.At(s.commit())
	if got := hostsOf(t, v, "r"); !slices.Equal(got, []string{"doc", "in"}) {
		t.Errorf("hosts inside without vhds: %q", got)
	}
	if n := v.Table(resource.VirtualHost).Len(); n != 0 {
		t.Errorf("%d hosts over VHDS without vhds", n)
	}
}

func TestTablesThatDidNotChangeAreShared(t *testing.T) {
	var s store
	s.put("default", cluster(t, "c", 0), false)
	s.put("default", shell(t, "r", false, 0), false)
	before := New(s.commit(), []string{"default"})
	s.put("default", shell(t, "r", false, 1), false)
	s.put("elsewhere", cluster(t, "c", 1), false)
	after := before.At(s.commit())
	if before.Table(resource.Cluster) != after.Table(resource.Cluster) {
		t.Error("the clusters are another tree although none changed")
	}
	if before.Table(resource.Route) == after.Table(resource.Route) {
		t.Error("the change of the route configuration is missing")
	}
}

func TestADomainIsResolvedAsEnvoyMatchesDomains(t *testing.T) {
	var s store
	s.put("default", shell(t, "r", true, 0), false)
	s.put("default", host(t, "r/exact", "c", "a.b.com"), false)
	s.put("default", host(t, "r/long", "c", "*.b.com"), false)
	s.put("default", host(t, "r/short", "c", "*.com"), false)
	s.put("default", host(t, "r/prefix", "c", "www.*"), false)
	s.put("default", host(t, "r/any", "c", "*"), false)
	s.put("default", host(t, "q/any", "c", "*"), false)
	v := New(s.commit(), []string{"default"})
	for asked, want := range map[string]string{
		"r/a.b.com": "r/exact", "r/A.B.com": "r/exact", "r/x.b.com": "r/long", "r/x.a.b.com": "r/long",
		"r/b.com": "r/short", "r/www.org": "r/prefix", "r/www.com": "r/short", "r/org": "r/any", "q/x": "q/any", "z/x": "",
	} {
		got := ""
		if h, ok := v.resolve(asked); ok {
			got = h.Name()
		}
		if got != want {
			t.Errorf("%s resolves to %q, want %q", asked, got, want)
		}
	}
}
