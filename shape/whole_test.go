package shape_test

import (
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
)

// written reads one resource, which may have what no schema knows.
func written(tb testing.TB, text string) *resource.Resource {
	tb.Helper()
	docs, problems := resource.Decoder{AllowUnknown: true}.Decode("test.yaml", []byte(text))
	if len(problems) > 0 {
		tb.Fatalf("%s\n%v", text, problems)
	}
	return docs[0].Resource
}

func hostWith(tb testing.TB, fields string) *resource.Resource {
	return written(tb, `{"@type": type.googleapis.com/envoy.config.route.v3.VirtualHost, name: table/h, domains: [h], `+fields+`}`)
}

func routeWith(tb testing.TB, fields string) *resource.Resource {
	return hostWith(tb, `routes: [{match: {prefix: /}, redirect: {}}, {`+fields+`}]`)
}

func TestWhatNeedsTheWholeTableIsNamed(t *testing.T) {
	action := func(fields string) *resource.Resource {
		return routeWith(t, `match: {prefix: /}, route: {cluster: c, `+fields+`}`)
	}
	plugin := func(of string) *resource.Resource {
		return routeWith(t, `match: {prefix: /}, route: {inline_cluster_specifier_plugin: {extension: {name: p, typed_config: {"@type": type.googleapis.com/envoy.extensions.router.cluster_specifiers.`+of+`}}}}`)
	}
	filter := func(config string) string {
		return `typed_per_filter_config: {f: {"@type": type.googleapis.com/envoy.` + config + `}}`
	}
	onDemand := filter("config.route.v3.FilterConfig, config: {\"@type\": type.googleapis.com/envoy.extensions.filters.http.on_demand.v3.PerRouteConfig}")
	const override = "extensions.filters.http.lua.v3.LuaPerRoute"
	tree := func(route string) *resource.Resource {
		return hostWith(t, `matcher: {on_no_match: {action: {name: r, typed_config: {"@type": type.googleapis.com/envoy.config.route.v3.Route, match: {prefix: /}, `+route+`}}}}`)
	}
	for _, c := range []struct {
		host   *resource.Resource
		reason string // "": may be split
	}{
		{action("timeout: 1s, prefix_rewrite: /x, host_rewrite_literal: x"), ""},
		{action("internal_redirect_policy: {}"), `virtual host "h": route 1 follows internal redirects`},
		{action("internal_redirect_action: HANDLE_INTERNAL_REDIRECT"), "follows internal redirects"},
		{action("internal_redirect_action: PASS_THROUGH_INTERNAL_REDIRECT"), ""},
		{action(`hash_policy: [{header: {header_name: X-Deltaplane-Shape}}]`), "mentions the header x-deltaplane-shape"},
		{action(`"@unknown": "+D8B"`), "field 1023, which this version"},
		{plugin(`lua.v3.LuaConfig, source_code: {inline_string: x}, default_cluster: c`), "LuaConfig"},
		{plugin(`matcher.v3.MatcherClusterSpecifier, cluster_matcher: {}`), ""},
		{routeWith(t, `match: {prefix: /}, redirect: {}, request_headers_to_remove: [x-deltaplane-shape]`), "mentions the header"},
		{routeWith(t, `match: {prefix: /}, redirect: {}, request_headers_to_remove: [-, x-deltaplane-shap, x-]`), ""},
		{routeWith(t, `match: {prefix: /, headers: [{name: x-deltaplane-shape, present_match: true}]}, redirect: {}`), "mentions the header"},
		{routeWith(t, `match: {prefix: /}, redirect: {}, `+onDemand), "on-demand"},
		{routeWith(t, `match: {prefix: /}, filter_action: {}`), "leaves its action to a filter"},
		{routeWith(t, `match: {prefix: /, "@unknown": "+D8B"}, redirect: {}`), "field 1023"},
		{routeWith(t, `match: {prefix: /}, redirect: {}, "@unknown": "+D8B"`), "field 1023"},
		{hostWith(t, onDemand), `virtual host "h" configures the on-demand filter`},
		{hostWith(t, filter("extensions.filters.http.cors.v3.CorsPolicy")), ""},
		{hostWith(t, `"@unknown": "+D8B"`), "field 1023"},
		{hostWith(t, filter(override+`, disabled: true`)), ""},
		{hostWith(t, filter(override+`, name: other`)), ""},
		{hostWith(t, filter(override+`, source_code: {inline_string: x}`)), "a Lua script of its own"},
		{routeWith(t, `match: {prefix: /}, redirect: {}, `+filter(`config.route.v3.FilterConfig, config: {"@type": type.googleapis.com/envoy.`+override+`, name: other}`)), ""},
		{routeWith(t, `match: {prefix: /}, redirect: {}, `+filter(`config.route.v3.FilterConfig, config: {"@type": type.googleapis.com/envoy.`+override+`, source_code: {inline_string: x}}`)), "a Lua script of its own"},
		{routeWith(t, `match: {prefix: /}, route: {weighted_clusters: {clusters: [{name: c, weight: 1, `+filter(override+`, name: other`)+`}]}}`), "a Lua script of its own"},
		{hostWith(t, `request_headers_to_add: [{header: {key: a, value: "%REQ(X-DELTAPLANE-SHAPE)%"}}]`), "mentions the header"},
		{hostWith(t, filter("extensions.filters.http.local_ratelimit.v3.LocalRateLimit, stat_prefix: l")), "a local rate or bandwidth limit"},
		{routeWith(t, `match: {prefix: /}, redirect: {}, `+filter("extensions.filters.http.bandwidth_limit.v3.BandwidthLimit, stat_prefix: l")), "a local rate or bandwidth limit"},
		{routeWith(t, `match: {prefix: /}, route: {weighted_clusters: {clusters: [{name: c, weight: 1, `+filter("extensions.filters.http.local_ratelimit.v3.LocalRateLimit, stat_prefix: l")+`}]}}`), "a local rate or bandwidth limit"},
		{tree(`route: {cluster: c}`), ""},
		{tree(`route: {cluster: c, internal_redirect_policy: {}}`), "follows internal redirects"},
	} {
		if got := shape.WholeHost(c.host); c.reason == "" && got != "" || !strings.Contains(got, c.reason) {
			t.Errorf("%q, want %q", got, c.reason)
		}
	}
}

func TestWhatASplitTableMayNotHaveIsNamed(t *testing.T) {
	for fields, reason := range map[string]string{
		"":                                 "",
		"validate_clusters: true":          "",
		"internal_only_headers: [x]":       "it has internal_only_headers",
		"vhost_header: x":                  "it finds virtual hosts by a header",
		"vhds: {config_source: {ads: {}}}": "it gets virtual hosts by VHDS",
		"request_headers_to_remove: [X-Deltaplane-Shape]": "it mentions the header",
		"ignore_port_in_host_matching: true":              "",
		"ignore_path_parameters_in_path_matching: true":   "ignores path parameters",
		`"@unknown": "+D8B"`:                              "it has field 1023",
		"typed_per_filter_config: {f: {\"@type\": type.googleapis.com/envoy.extensions.filters.http.on_demand.v3.PerRouteConfig}}": "it configures the on-demand filter",
	} {
		shell := written(t, `{"@type": type.googleapis.com/envoy.config.route.v3.RouteConfiguration, name: table, `+fields+`}`)
		if got := shape.Whole(shell); reason == "" && got != "" || !strings.Contains(got, reason) {
			t.Errorf("%s: %q, want %q", fields, got, reason)
		}
	}
	plain := written(t, `{"@type": type.googleapis.com/envoy.config.route.v3.RouteConfiguration, name: table}`)
	if got := shape.Whole(plain.WithTTL(resource.MinTTL)); !strings.Contains(got, "TTL") {
		t.Errorf("with a TTL: %q", got)
	}
}

// A tally knows of reasons as they come and go, though it looks at changes only.
func TestATallyKnowsWhyItsTableIsWhole(t *testing.T) {
	table := wide(t, 60, 10)
	tally := shape.Count(fresh(t, table, shape.Defaults()), table.shell, table.all())
	fine := routeWith(t, `match: {prefix: /}, route: {cluster: c}`)
	redirects := routeWith(t, `match: {prefix: /}, route: {cluster: c, internal_redirect_policy: {}}`)
	framed := hostWith(t, `request_headers_to_remove: [x-deltaplane-shape]`)
	var last *resource.Resource
	for i, c := range []struct {
		now   *resource.Resource
		whole bool
	}{{fine, false}, {redirects, true}, {redirects, true}, {fine, false}, {framed, true}, {nil, false}, {framed, true}, {redirects, true}, {nil, false}} {
		tally.Change(last, c.now)
		if got := tally.Whole(); (got != "") != c.whole || tally.Due() != c.whole {
			t.Errorf("step %d: whole for %q, due %v", i, got, tally.Due())
		}
		last = c.now
	}
	tally.Shell(written(t, `{"@type": type.googleapis.com/envoy.config.route.v3.RouteConfiguration, name: table, vhost_header: x}`))
	if !tally.Due() {
		t.Error("a shell that keeps its table whole changes nothing")
	}
}

func TestCutsCanBeWrittenInAListener(t *testing.T) {
	table := wide(t, 1, 0)
	for _, c := range []string{`'`, `"`, `\`, `%`, "é", " ", "("} {
		name := "x" + strings.Trim(strings.ToLower(c), `%"' \`)
		table.put(host(t, "h"+c, []string{name + ".example.com"}, odd(c, 120)...))
	}
	s := fresh(t, table, shape.Defaults())
	if len(s.Leaves) < 8 {
		t.Errorf("%d leaves", len(s.Leaves))
	}
	for _, l := range s.Leaves {
		if !shape.Usable(l.Host) || !shape.Usable(l.Path) {
			t.Errorf("a leaf begins at %q %q", l.Host, l.Path)
		}
	}
}
