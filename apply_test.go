package deltaplane

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane/resource"
)

// documents reads YAML.
func documents(t testing.TB, yaml string) []resource.Document {
	t.Helper()
	docs, problems := resource.Decoder{}.Decode("test.yaml", []byte(yaml))
	for _, p := range problems {
		if !p.Warning {
			t.Fatal(p)
		}
	}
	return docs
}

func clusterYAML(name string, ms int) string {
	return fmt.Sprintf("---\n'@type': type.googleapis.com/envoy.config.cluster.v3.Cluster\nname: %s\nconnect_timeout: %d.%03ds\n", name, ms/1000, ms%1000)
}

// routeYAML is a route configuration with hosts, given as name=cluster.
func routeYAML(name string, hosts ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "---\n'@type': type.googleapis.com/envoy.config.route.v3.RouteConfiguration\nname: %s\nvirtual_hosts:\n", name)
	for _, h := range hosts {
		host, cluster, _ := strings.Cut(h, "=")
		fmt.Fprintf(&b, "- name: %s\n  domains: [%s.example]\n  routes: [{match: {prefix: /}, route: {cluster: %s}}]\n", host, host, cluster)
	}
	return b.String()
}

// hostYAML is a virtual host of its own.
func hostYAML(name, cluster string) string {
	_, host, _ := resource.HostOf(name)
	return fmt.Sprintf("---\n'@type': type.googleapis.com/envoy.config.route.v3.VirtualHost\nname: %s\ndomains: [%s.example]\nroutes: [{match: {prefix: /}, route: {cluster: %s}}]\n", name, host, cluster)
}

// summary is a plan as text: one word per step.
func summary(p *Plan) string {
	signs := map[Action]string{Added: "+", Changed: "~", Unchanged: "=", Removed: "-"}
	var words []string
	for _, s := range p.Steps {
		words = append(words, signs[s.Action]+s.Key.Type.Short()+"/"+s.Key.Name)
	}
	return strings.Join(words, " ")
}

// contents is the store's default namespace as text.
func contents(s *Snapshot) string {
	var words []string
	for path, e := range s.Tree().All() {
		k := KeyOf(path)
		word := k.Type.Short() + "/" + k.Name
		if e.Inline {
			word += "(inline)"
		}
		words = append(words, word+":"+e.Owner)
	}
	return strings.Join(words, " ")
}

func TestApplyAndDelete(t *testing.T) {
	type do struct {
		apply    string
		del      []Key
		prune    bool
		o        Options
		plan     string
		err      error
		contents string
	}
	route := Key{DefaultNamespace, resource.Route, "rc"}
	host := Key{DefaultNamespace, resource.VirtualHost, "rc/b"}
	for name, steps := range map[string][]do{
		"a second apply of the same changes nothing": {
			{apply: clusterYAML("a", 1) + routeYAML("rc", "x=a"), plan: "+Cluster/a +Route/rc", contents: "Cluster/a:cli Route/rc:cli VirtualHost/rc/x(inline):cli"},
			{apply: clusterYAML("a", 1) + routeYAML("rc", "x=a"), plan: "=Cluster/a =Route/rc"},
			{apply: clusterYAML("a", 2), plan: "~Cluster/a"},
		},
		"an inline host that is gone from its file is removed and a document host stays": {
			{apply: clusterYAML("a", 1) + routeYAML("rc", "x=a", "y=a") + hostYAML("rc/b", "a"), plan: "+Cluster/a +Route/rc +VirtualHost/rc/b"},
			{apply: routeYAML("rc", "x=a"), plan: "~Route/rc", contents: "Cluster/a:cli Route/rc:cli VirtualHost/rc/b:cli VirtualHost/rc/x(inline):cli"},
			{del: []Key{route}, plan: "-Route/rc", contents: "Cluster/a:cli VirtualHost/rc/b:cli"},
			{del: []Key{host}, plan: "-VirtualHost/rc/b", contents: "Cluster/a:cli"},
		},
		"what another owns is changed on purpose only": {
			{apply: clusterYAML("a", 1), o: Options{Owner: "team"}, plan: "+Cluster/a"},
			{apply: clusterYAML("a", 2), err: ErrOwned, contents: "Cluster/a:team"},
			{apply: clusterYAML("a", 1), plan: "=Cluster/a", contents: "Cluster/a:team"},
			{del: []Key{clusterKey("a")}, err: ErrOwned},
			{apply: clusterYAML("a", 2), o: Options{TakeOwnership: true}, plan: "~Cluster/a", contents: "Cluster/a:cli"},
		},
		"an inline host yields to another's document host": {
			{apply: clusterYAML("a", 1) + hostYAML("rc/b", "a"), o: Options{Owner: "team"}, plan: "+Cluster/a +VirtualHost/rc/b"},
			{apply: routeYAML("rc", "b=a"), err: ErrOwned},
			{apply: routeYAML("rc", "b=a"), o: Options{TakeOwnership: true}, plan: "+Route/rc", contents: "Cluster/a:team Route/rc:cli VirtualHost/rc/b(inline):cli"},
		},
		"prune removes only what the owner has": {
			{apply: clusterYAML("a", 1), o: Options{Owner: "team"}, plan: "+Cluster/a"},
			{apply: clusterYAML("b", 1) + routeYAML("rc", "x=a"), plan: "+Cluster/b +Route/rc"},
			{apply: clusterYAML("c", 1), prune: true, plan: "-Cluster/b +Cluster/c -Route/rc", contents: "Cluster/a:team Cluster/c:cli"},
		},
		"a missing key is an error unless ignored": {
			{del: []Key{clusterKey("a")}, err: ErrNotFound},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, Config{})
			for i, d := range steps {
				var p *Plan
				var err error
				if d.apply != "" {
					p, err = s.Apply(t.Context(), documents(t, d.apply), d.prune, d.o)
				} else {
					p, err = s.Delete(t.Context(), d.del, false, d.o)
				}
				switch {
				case d.err == nil && err != nil, d.err != nil && err == nil:
					t.Fatalf("step %d: error is %v, want %v", i, err, d.err)
				case d.err != nil && !errors.Is(err, d.err):
					t.Fatalf("step %d: error is %v, want %v", i, err, d.err)
				case err == nil && summary(p) != d.plan:
					t.Fatalf("step %d: plan is %s, want %s", i, summary(p), d.plan)
				}
				if got := contents(s.Latest()); d.contents != "" && got != d.contents {
					t.Fatalf("step %d: the store holds %s, want %s", i, got, d.contents)
				}
			}
		})
	}
}
