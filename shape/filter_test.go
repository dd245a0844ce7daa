package shape_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
)

// chained is a listener whose HTTP connection manager has these filters, in
// YAML, before its router.
func chained(t *testing.T, filters string) *resource.Resource {
	t.Helper()
	text := strings.Replace(fmt.Sprintf(listenerText, "web", ""), "http_filters: [", "http_filters: ["+filters, 1)
	return read(t, text)
}

// filter is an HTTP filter in YAML: a type and fields.
func filter(typ, fields string) string {
	name, _, _ := strings.Cut(typ, ".")
	return fmt.Sprintf(`{name: %s, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.%s%s}}, `, name, typ, fields)
}

const jwt = `, providers: {p: {remote_jwks: {http_uri: {uri: "http://x", cluster: back, timeout: 1s}}, claim_to_headers: [{header_name: %s, claim_name: sub}], clear_route_cache: %t}}`

// lua are the fields of a Lua filter with a script for requests.
func lua(body string) string {
	return fmt.Sprintf(`, clear_route_cache: false, default_source_code: {inline_string: "function envoy_on_request(handle) %s end"}`, body)
}

func TestFiltersThatCouldLeadARequestElsewhereKeepATableWhole(t *testing.T) {
	const anew, either, ecds = "chosen anew.", "and its filter", "by ECDS"
	mutation := filter("header_mutation.v3.HeaderMutation", `, mutations: {request_mutations: [{remove: ":path"}]}`)
	state := filter("set_filter_state.v3.Config", "")
	for _, c := range []struct{ filters, left string }{
		{"", ""},
		{filter("cors.v3.Cors", "") + filter("fault.v3.HTTPFault", "") + filter("rbac.v3.RBAC", `, rules: {policies: {p: {permissions: [{header: {name: ":path", present_match: true}}], principals: [{any: true}]}}}`), ""},
		{filter("lua.v3.Lua", ""), `"lua"`},
		{filter("lua.v3.Lua", lua("handle:headers():replace(':path', '/')")), ""},
		{filter("lua.v3.Lua", lua("handle:headers():replace(':path', '/')")) + state, either},
		{filter("lua.v3.Lua", lua("handle:clearRouteCache()")), anew},
		{filter("lua.v3.Lua", strings.Replace(lua(""), "clear_route_cache: false", "clear_route_cache: true", 1)), anew},
		{filter("lua.v3.Lua", strings.Replace(lua(""), "clear_route_cache: false, ", "", 1)), anew},
		{filter("lua.v3.Lua", lua("")+`, source_codes: {other: {inline_string: "load('x')"}}`), anew},
		{filter("lua.v3.Lua", ", clear_route_cache: false, default_source_code: {filename: /dev/null}"), anew},
		{filter("lua.v3.Lua", `, clear_route_cache: false, inline_code: "x = dofile('y')"`), anew},
		{filter("on_demand.v3.OnDemand", ""), anew},
		{filter("ext_authz.v3.ExtAuthz", ""), ""},
		{filter("ext_authz.v3.ExtAuthz", ", clear_route_cache: true"), anew},
		{filter("ext_authz.v3.ExtAuthz", "") + state, either},
		{filter("ext_proc.v3.ExternalProcessor", ", grpc_service: {envoy_grpc: {cluster_name: back}}"), anew},
		{filter("ext_proc.v3.ExternalProcessor", ", route_cache_action: RETAIN, grpc_service: {envoy_grpc: {cluster_name: back}}"), ""},
		{mutation, ""},
		{state, ""},
		{state + mutation, either},
		{filter("jwt_authn.v3.JwtAuthentication", fmt.Sprintf(jwt, "x-sub", true)), ""},
		{filter("jwt_authn.v3.JwtAuthentication", fmt.Sprintf(jwt, "x-sub", true)) + mutation, either},
		{filter("jwt_authn.v3.JwtAuthentication", fmt.Sprintf(jwt, "x-sub", false)) + mutation, ""},
		{filter("jwt_authn.v3.JwtAuthentication", fmt.Sprintf(jwt, "Host", true)), anew},
		{filter("header_to_metadata.v3.Config", `, request_rules: [{header: x-deltaplane-shape, remove: true, on_header_present: {key: k}}]`), anew},
		{filter("header_to_metadata.v3.Config", `, request_rules: [{header: x-version, remove: true, on_header_present: {key: k}}]`), ""},
		{`{name: later, config_discovery: {config_source: {ads: {}}, type_urls: [type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors]}}, `, ecds},
	} {
		l := chained(t, c.filters)
		got, uses := shape.Listener(l, func(string) *shape.Split { return two })
		if len(uses) != 1 || (uses[0].Left == "") != (c.left == "") || !strings.Contains(uses[0].Left, c.left) {
			t.Errorf("filters %s\nuses are %+v, want a reason with %q", c.filters, uses, c.left)
		}
		if (got == l) != (c.left != "") {
			t.Errorf("filters %s\nrewritten: %t", c.filters, got != l)
		}
	}
}

// two is a split by host.
var two = &shape.Split{Leaves: []shape.Leaf{{ID: 4}, {ID: 7, Host: "m"}}}
