package resource

import (
	"fmt"
	"strings"
	"testing"
)

// lines renders changes one a line, for comparison.
func lines(changes []FieldChange) string {
	var b strings.Builder
	for _, c := range changes {
		fmt.Fprintf(&b, "%s %s: %s → %s\n", c.Kind, c.Path, c.Old, c.New)
	}
	return b.String()
}

func TestDiffNamesWhatChanged(t *testing.T) {
	const host = "\"@type\": type.googleapis.com/envoy.config.route.v3.VirtualHost\nname: rc/h\n"
	const cla = "\"@type\": type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment\ncluster_name: pay\n"
	for name, c := range map[string]struct{ old, now, want string }{
		"scalars, wrappers, messages": {
			clusterType + "\nname: a\nconnect_timeout: 1s\ntype: STATIC\nper_connection_buffer_limit_bytes: 1\nrespect_dns_ttl: true\n",
			clusterType + "\nname: a\nconnect_timeout: 0.25s\ntype: STRICT_DNS\nper_connection_buffer_limit_bytes: 2\ncommon_lb_config: {}\n",
			"changed type: STATIC → STRICT_DNS\nchanged connect_timeout: 1s → 0.25s\nchanged per_connection_buffer_limit_bytes: 1 → 2\nadded common_lb_config:  → {}\nremoved respect_dns_ttl: true → \n",
		},
		"a field deep inside an Any": {
			clusterType + "\nname: a\ntyped_extension_protocol_options: {x: {\"@type\": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, explicit_http_config: {http2_protocol_options: {max_concurrent_streams: 1}}}}",
			clusterType + "\nname: a\ntyped_extension_protocol_options: {x: {\"@type\": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, explicit_http_config: {http2_protocol_options: {max_concurrent_streams: 2}}}}",
			`changed typed_extension_protocol_options["x"].explicit_http_config.http2_protocol_options.max_concurrent_streams: 1 → 2` + "\n",
		},
		"endpoints by address": {
			cla + "endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 10.0.0.1, port_value: 80}}}}, {endpoint: {address: {socket_address: {address: 10.0.0.2, port_value: 80}}}}]}]",
			cla + "endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 10.0.0.2, port_value: 80}}}, health_status: DRAINING}, {endpoint: {address: {socket_address: {address: 10.0.0.3, port_value: 80}}}}]}]",
			`added endpoints[0].lb_endpoints["10.0.0.2:80"].health_status:  → DRAINING
added endpoints[0].lb_endpoints["10.0.0.3:80"]:  → {"endpoint":{"address":{"socket_address":{"address":"10.0.0.3","port_value":80}}}}
removed endpoints[0].lb_endpoints["10.0.0.1:80"]: {"endpoint":{"address":{"socket_address":{"address":"10.0.0.1","port_value":80}}}} → ` + "\n",
		},
		"routes by name, and their order": {
			host + "domains: [a, b]\nroutes: [{name: x, match: {prefix: /x}, route: {cluster: a}}, {name: y, match: {prefix: /y}, route: {cluster: a}}]",
			host + "domains: [a, c, b]\nroutes: [{name: y, match: {prefix: /y}, route: {cluster: b}}, {name: x, match: {prefix: /x}, route: {cluster: a}}]",
			"added domains[1]:  → c\nchanged routes[\"y\"].route.cluster: a → b\nmoved routes: x, y → y, x\n",
		},
		"a route without a name": {
			host + "domains: [a]\nroutes: [{match: {prefix: /x}, route: {cluster: a}}, {match: {prefix: /y}, route: {cluster: a}}]",
			host + "domains: [a]\nroutes: [{match: {prefix: /x}, route: {cluster: a}}, {match: {prefix: /z}, route: {cluster: a}}]",
			"changed routes[1].match.prefix: /y → /z\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			old, now := decodeOne(t, c.old), decodeOne(t, c.now)
			if got := lines(Diff(old, now)); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
			if got := Diff(old, old); got != nil {
				t.Errorf("differs from itself: %v", got)
			}
		})
	}
}

func TestDiffOfAWholeResourceListsItsFields(t *testing.T) {
	r := decodeOne(t, clusterType+"\nname: a\ntype: STATIC\nlb_policy: MAGLEV\n")
	if got, want := lines(Diff(nil, r)), "added name:  → a\nadded type:  → STATIC\nadded lb_policy:  → MAGLEV\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := Diff(r, nil); len(got) != 3 || got[0].Kind != FieldRemoved {
		t.Errorf("got %v", got)
	}
}

func TestDiffOfCutResourcesCountsWhatItDoesNotParse(t *testing.T) {
	_, hosts, err := decodeOne(t, gateway(5000)).SplitHosts()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(hosts[0].Segments()); n < 10 {
		t.Fatalf("%d segments", n)
	}
	now, problems := ApplyPatch(hosts[0], []byte(`{route: {name: r4000, match: {prefix: /x}, route: {cluster: y}}}`))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, c := range Diff(hosts[0], now) {
		if !strings.HasPrefix(c.Path, `routes["r4000"].`) && !strings.HasPrefix(c.Path, `routes[4000].`) {
			t.Errorf("unexpected %v", c)
		}
	}
	nameless, problems := ApplyPatch(now, []byte(`{route: {match: {prefix: /none}, route: {cluster: y}}, replace: 4000}`))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if got, want := lines(Diff(nameless, mustPatch(t, nameless, `{route: {match: {prefix: /other}, route: {cluster: y}}, replace: 4000}`))), "changed routes[4000].match.prefix: /none → /other\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func mustPatch(t testing.TB, r *Resource, patch string) *Resource {
	t.Helper()
	now, problems := ApplyPatch(r, []byte(patch))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return now
}
