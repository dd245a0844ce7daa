package resource

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"
)

const smallHost = `
"@type": type.googleapis.com/envoy.config.route.v3.VirtualHost
name: rc/h
domains: [x]
routes:
- {name: a, match: {prefix: /a}, route: {cluster: a}}
- {match: {prefix: /b}, route: {cluster: b}}
- {name: c, match: {prefix: /c}, route: {cluster: c}}
`

func routesOf(t testing.TB, r *Resource) string {
	t.Helper()
	var names []string
	for _, route := range mustMessage(t, r).(*routev3.VirtualHost).Routes {
		names = append(names, route.Name+route.GetMatch().GetPrefix())
	}
	return strings.Join(names, " ")
}

func TestRoutesArePatchedByNameAndIndex(t *testing.T) {
	for patch, want := range map[string]string{
		`{route: {name: a, match: {prefix: /A}, route: {cluster: a}}}`:             "a/A /b c/c",
		`{route: {name: d, match: {prefix: /d}, route: {cluster: a}}}`:             "a/a /b c/c d/d",
		`{route: {name: d, match: {prefix: /d}, route: {cluster: a}}, before: c}`:  "a/a /b d/d c/c",
		`{route: {name: d, match: {prefix: /d}, route: {cluster: a}}, after: 0}`:   "a/a d/d /b c/c",
		`{route: {name: a, match: {prefix: /A}, route: {cluster: a}}, after: c}`:   "/b c/c a/A",
		`{route: {name: c, match: {prefix: /C}, route: {cluster: a}}, before: a}`:  "c/C a/a /b",
		`{route: {name: a, match: {prefix: /A}, route: {cluster: a}}, before: a}`:  "a/A /b c/c",
		`{route: {name: b, match: {prefix: /B}, route: {cluster: a}}, replace: 1}`: "a/a b/B c/c",
		`{remove_route: a}`: "/b c/c",
		`{remove_route: 1}`: "a/a c/c",
		`[{remove_route: a}, {remove_route: 0}, {remove_route: 0}]`:                                          "",
		`[{remove_route: a}, {route: {name: a, match: {prefix: /n}, route: {cluster: a}}, before: c}]`:       "/b a/n c/c",
		"- merge: {require_tls: ALL}\n- remove_route: 2":                                                     "a/a /b",
		`{merge: {routes: [{name: z, match: {prefix: /z}, redirect: {path_redirect: /}}], domains: [a, b]}}`: "z/z",
	} {
		now := mustPatch(t, decodeOne(t, smallHost), patch)
		if got := routesOf(t, now); got != want {
			t.Errorf("%s: got %s, want %s", patch, got, want)
		}
		if again, err := New(mustMessage(t, now)); err != nil || again.Digest() != now.Digest() {
			t.Errorf("%s: the result is not what New makes of it (error %v)", patch, err)
		}
	}
}

func TestEndpointsArePatchedByAddress(t *testing.T) {
	text := func(endpoints string) string {
		return "\"@type\": type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment\ncluster_name: pay\nendpoints:\n" + endpoints
	}
	const one, two = `{endpoint: {address: {socket_address: {address: 10.0.0.1, port_value: 80}}}, load_balancing_weight: 5}`,
		`{endpoint: {address: {socket_address: {address: "::2", port_value: 80}}}}`
	old := decodeOne(t, text("- {locality: {zone: a}, lb_endpoints: ["+one+"]}\n- {locality: {zone: b}, priority: 1, lb_endpoints: ["+two+"]}"))
	for patch, want := range map[string]string{
		`{endpoint: {address: "10.0.0.1:80", health: DRAINING}}`: "- {locality: {zone: a}, lb_endpoints: [" + strings.Replace(one, "}, load", "}, health_status: DRAINING, load", 1) + "]}\n- {locality: {zone: b}, priority: 1, lb_endpoints: [" + two + "]}",
		`{endpoint: {address: "[::2]:80", weight: 7}}`:           "- {locality: {zone: a}, lb_endpoints: [" + one + "]}\n- {locality: {zone: b}, priority: 1, lb_endpoints: [" + two[:len(two)-1] + ", load_balancing_weight: 7}]}",
		`{remove_endpoint: "[::2]:80"}`:                          "- {locality: {zone: a}, lb_endpoints: [" + one + "]}\n- {locality: {zone: b}, priority: 1}",
		`{endpoint: {address: "[::2]:81", locality: {zone: c}}}`: "- {locality: {zone: a}, lb_endpoints: [" + one + "]}\n- {locality: {zone: b}, priority: 1, lb_endpoints: [" + two + "]}\n- {locality: {zone: c}, lb_endpoints: [" + strings.Replace(two, "value: 80", "value: 81", 1) + "]}",
		`[{remove_endpoint: "10.0.0.1:80"}, {endpoint: {address: "10.0.0.1:80", locality: {zone: b}, priority: 1, weight: 5}}]`: "- {locality: {zone: a}}\n- {locality: {zone: b}, priority: 1, lb_endpoints: [" + two + ", " + one + "]}",
	} {
		if got, want := mustPatch(t, old, patch), decodeOne(t, text(want)); got.Digest() != want.Digest() {
			t.Errorf("%s: got %v\nwant %v", patch, mustMessage(t, got), mustMessage(t, want))
		}
	}
}

func TestMergeFollowsFieldsMapsAndAny(t *testing.T) {
	old := decodeOne(t, clusterType+`
name: a
type: STATIC
connect_timeout: 1s
common_lb_config: {healthy_panic_threshold: {value: 1}, update_merge_window: 1s}
metadata: {filter_metadata: {x: {a: 1, b: {c: 2}}, y: {}}}
typed_extension_protocol_options: {o: {"@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, explicit_http_config: {http2_protocol_options: {max_concurrent_streams: 1}}}}
`)
	now := mustPatch(t, old, `
merge:
  connectTimeout: null
  cluster_type: {name: own}
  common_lb_config: {update_merge_window: 2s, locality_weighted_lb_config: {}}
  metadata: {filter_metadata: {x: {b: {d: 3}, a: null}, y: null, z: {}}}
  typed_extension_protocol_options: {o: {explicit_http_config: {http_protocol_options: {}}}}
`)
	want := decodeOne(t, clusterType+`
name: a
cluster_type: {name: own}
common_lb_config: {healthy_panic_threshold: {value: 1}, update_merge_window: 2s, locality_weighted_lb_config: {}}
metadata: {filter_metadata: {x: {b: {d: 3}}, z: {}}}
typed_extension_protocol_options: {o: {"@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, explicit_http_config: {http_protocol_options: {}}}}
`)
	if now.Digest() != want.Digest() {
		t.Errorf("got %v\nwant %v", mustMessage(t, now), mustMessage(t, want))
	}
}

func TestPatchesThatCannotBeAreRefusedWithTheirPlace(t *testing.T) {
	host, cluster := decodeOne(t, smallHost), decodeOne(t, clusterType+"\nname: a\n")
	cla := decodeOne(t, "\"@type\": type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment\ncluster_name: pay\nendpoints: [{locality: {zone: a}}, {locality: {zone: b}}]\n")
	for _, c := range []struct {
		r           *Resource
		patch, want string
	}{
		{host, "", "got 0"},
		{host, "x: 1", "no operation: expected one of merge, route"},
		{host, "route: {}\nmerge: {}", "2:1: VirtualHost \"rc/h\": an operation has one of"},
		{host, "remove_route: nope", `remove_route: the host has no such route, the string "nope"; it has 3 routes`},
		{host, "remove_route: 3", "the host has no such route, the number 3"},
		{host, "route: {name: x, match: {prefix: /}, rout: {}}", `1:38: VirtualHost "rc/h": route: unknown field "rout" in Route: did you mean "route"?`},
		{host, "route: {name: x, match: {}, route: {cluster: a}}", "route.match: one of prefix, path"},
		{host, "route: {name: c, match: {prefix: /}, route: {cluster: a}}\nreplace: 0", `route 2 has the name "c" already`},
		{host, "remove_route: a\nbefore: b", `unknown key "before" beside remove_route`},
		{cluster, "remove_route: a", "remove_route is for a VirtualHost, and this is a Cluster"},
		{cluster, "merge: {name: b}", `a patch cannot rename: "a" would become "b"`},
		{cluster, "merge: {type: EDS}", "eds_cluster_config: is required"},
		{cluster, "merge: {nam: b}", `1:9: Cluster "a": unknown field "nam" in Cluster: did you mean "name"?`},
		{decodeOne(t, threeHosts), "remove_route: a", `patch its host, VirtualHost "<route configuration>/<host>"`},
		{cla, `endpoint: {address: "10.0.0.1:80"}`, "2 localities fit: say which"},
		{cla, `endpoint: {address: "10.0.0.1", weight: 0}`, "weight: expected a whole number from 1"},
		{cla, `remove_endpoint: "10.0.0.1:80"`, `there is no endpoint "10.0.0.1:80"`},
	} {
		if now, problems := ApplyPatch(c.r, []byte(c.patch)); now != nil || !strings.Contains(problems.Error(), c.want) {
			t.Errorf("%q: got %v, want %s", c.patch, problems, c.want)
		}
	}
}

func TestPatchOfALargeHostSharesWhatItDoesNotTouch(t *testing.T) {
	_, hosts, err := decodeOne(t, gateway(10_000)).SplitHosts()
	if err != nil {
		t.Fatal(err)
	}
	old := hosts[0]
	now := mustPatch(t, old, `{route: {name: r5000, match: {prefix: /new}, route: {cluster: other}}}`)
	held := map[Digest]bool{}
	for _, s := range old.Segments() {
		held[s.Digest] = true
	}
	fresh := 0
	for _, s := range now.Segments() {
		if !held[s.Digest] {
			fresh++
		}
	}
	if len(old.Segments()) < 20 || fresh > 2 {
		t.Errorf("one changed route made %d of %d segments anew", fresh, len(now.Segments()))
	}
}

func TestAPatchReadsAsManyRoutesOfALargerHost(t *testing.T) {
	const patches = 60
	read := func(n int) int {
		_, hosts, err := decodeOne(t, gateway(n)).SplitHosts()
		if err != nil {
			t.Fatal(err)
		}
		// The first patch looks everywhere.
		h := mustPatch(t, hosts[0], "{route: {name: first, match: {prefix: /new}, route: {cluster: c0}}}")
		read := 0
		for i := range patches {
			at, body := i*7919%n, "match: {prefix: /new}, route: {cluster: other}}"
			patch := []string{
				fmt.Sprintf("{route: {name: r%d, %s}", at, body),
				fmt.Sprintf("{route: {name: r%d, %s, after: %d}", at, body, n/4),
				fmt.Sprintf("{route: {name: new%d, %s, before: r%d}", i, body, n/5),
				fmt.Sprintf("{route: {name: fresh%d, %s, replace: %d}", i, body, at),
				fmt.Sprintf("{route: {name: last%d, %s}", i, body),
				fmt.Sprintf("{remove_route: last%d}", i-1),
			}[i%6]
			p := patcher{reader: &reader{file: "patch"}, now: h}
			roots, problem := p.parse([]byte(patch))
			if problem != nil {
				t.Fatal(problem)
			}
			p.operation(target(roots[0]))
			if len(p.problems) > 0 {
				t.Fatal(p.problems)
			}
			h = p.now
			read += p.routes
		}
		return read / patches
	}
	few, many := read(1500), read(6000)
	t.Logf("a patch reads %d of 1,500 routes, %d of 6,000", few, many)
	if few == 0 || many > 2*few {
		t.Errorf("a patch reads %d of 1,500 routes, and %d of 6,000", few, many)
	}
}

// TestSplicedSegmentsAreThoseOfTheWhole: after any sequence of patches the
// segments, and so the digest, are what New makes of the result.
func TestSplicedSegmentsAreThoseOfTheWhole(t *testing.T) {
	_, hosts, err := decodeOne(t, gateway(700)).SplitHosts()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		r := hosts[0]
		for range rapid.IntRange(1, 5).Draw(t, "operations") {
			count := 0
			for _, segment := range r.Segments() {
				count += elements(3, segment.Bytes)
			}
			at := rapid.IntRange(0, count-1).Draw(t, "at")
			patch := fmt.Sprintf("{remove_route: %d}", at)
			if rapid.Bool().Draw(t, "put") {
				padding := strings.Repeat("x", rapid.SampledFrom([]int{1, 100, 20_000, 140_000}).Draw(t, "size"))
				patch = fmt.Sprintf("{route: {name: n%d, match: {prefix: /%s}, route: {cluster: c}}, before: %d}", rapid.IntRange(0, 3).Draw(t, "name"), padding, at)
			}
			now, problems := ApplyPatch(r, []byte(patch))
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			r = now
		}
		m, err := r.Message()
		if err != nil {
			t.Fatal(err)
		}
		whole, err := New(m)
		if err != nil {
			t.Fatal(err)
		}
		if whole.Digest() != r.Digest() || !bytes.Equal(whole.Bytes(), r.Bytes()) {
			t.Fatalf("digest %s of %d segments; New makes %s of %d", r.Digest(), len(r.Segments()), whole.Digest(), len(whole.Segments()))
		}
	})
}

func TestSegmentsTogetherParseAsTheMessage(t *testing.T) {
	r := decodeOne(t, gateway(3000))
	_, hosts, err := r.SplitHosts()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range hosts[0].Segments() {
		if len(s.Bytes) > segmentMax {
			t.Errorf("a segment of %d bytes", len(s.Bytes))
		}
	}
	var whole routev3.VirtualHost
	if err := proto.Unmarshal(hosts[0].Bytes(), &whole); err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(&whole, mustMessage(t, hosts[0])) || len(whole.Routes) != 3000 {
		t.Error("the segments' concatenation is another message")
	}
	if !bytes.Equal(JoinHosts(first(r.SplitHosts())), r.Bytes()) {
		t.Error("joining cut hosts gives other bytes")
	}
}

func first(shell *Resource, hosts []*Resource, _ error) (*Resource, []*Resource) { return shell, hosts }
