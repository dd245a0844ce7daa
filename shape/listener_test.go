package shape_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/anypb"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
)

// managed is an HTTP connection manager in YAML's flow style, as a filter
// chain's filters.
func managed(table, fields string) string {
	return fmt.Sprintf(`[{name: hcm, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager,
    stat_prefix: web, rds: {route_config_name: %s, config_source: {ads: {}, resource_api_version: V3}}, %s
    http_filters: [{name: router, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}]}}]`, table, fields)
}

const mutating = `early_header_mutation_extensions: [{name: %s, typed_config: {"@type": type.googleapis.com/envoy.extensions.http.early_header_mutation.%s}}], `

// mixed has chains of all kinds.
func mixed() string {
	return `
"@type": type.googleapis.com/envoy.config.listener.v3.Listener
name: mixed
address: {socket_address: {address: 127.0.0.1, port_value: 80}}
filter_chains:
- {name: first, filter_chain_match: {server_names: [a]}, filters: ` + managed("one", "") + `}
- {filter_chain_match: {server_names: [b]}, filters: ` + managed("two", fmt.Sprintf(mutating, "mine", "header_mutation.v3.HeaderMutation, mutations: [{remove: x-mine}]")) + `}
- {filter_chain_match: {server_names: [c]}, filters: ` + managed("small", "") + `}
- {filter_chain_match: {server_names: [d]}, filters: ` + managed("one", fmt.Sprintf(mutating, "module", `dynamic_modules.v3.DynamicModuleEarlyHeaderMutation, dynamic_module_config: {name: x}, early_header_mutation_name: y`)) + `}
- {filter_chain_match: {server_names: [e]}, filters: ` + strings.Replace(managed("one", ""), "ads: {}", "path_config_source: {path: /routes}", 1) + `}
- {filter_chain_match: {server_names: [f]}, filters: ` + managed("two", "upgrade_configs: [{upgrade_type: websocket, filters: ["+strings.TrimSuffix(filter("lua.v3.Lua", ""), ", ")+"]}], ") + `}
default_filter_chain: {filters: ` + strings.Replace(managed("two", ""), "ads: {}", "self: {}", 1) + `}
`
}

func TestEachConnectionManagerOfASplitTableIsRewrittenAndNothingElse(t *testing.T) {
	l := read(t, mixed()).WithTTL(time.Minute)
	if got := shape.Refers(l); !slices.Equal(got, []string{"one", "two", "small"}) {
		t.Errorf("refers to %v", got)
	}
	split := func(table string) *shape.Split {
		if table == "small" {
			return nil
		}
		return two
	}
	got, uses := shape.Listener(l, split)
	want := []shape.Use{
		{Table: "one", Where: `filter_chains[0] "first"`},
		{Table: "two", Where: "filter_chains[1]"},
		{Table: "one", Where: "filter_chains[3]", Left: `Its early header mutation "module" may keep later ones from running.`},
		{Table: "two", Where: "filter_chains[5]", Left: `Its HTTP filter "lua" may change a request's authority or path and have its route chosen anew.`},
		{Table: "two", Where: "default_filter_chain"},
	}
	if !slices.Equal(uses, want) {
		t.Errorf("uses are %+v\nwant %+v", uses, want)
	}
	if got.TTL() != time.Minute || got.Name() != "mixed" {
		t.Errorf("it has name %q and TTL %v", got.Name(), got.TTL())
	}
	if again, _ := shape.Listener(l, split); again.Digest() != got.Digest() {
		t.Error("the same input has another output")
	}

	was, is := managers(t, l), managers(t, got)
	scopes := is[0].GetScopedRoutes()
	for i, m := range is {
		if i == 0 || i == 1 || i == 6 {
			if scopes == nil || !proto.Equal(m.GetScopedRoutes(), scopes) {
				t.Errorf("chain %d has scoped routes %v", i, m.GetScopedRoutes())
			}
			own := len(m.EarlyHeaderMutationExtensions) - 1
			if ours := m.EarlyHeaderMutationExtensions[own]; !strings.Contains(ours.TypedConfig.String(), shape.Header) {
				t.Errorf("chain %d ends its early header mutations with %v", i, ours)
			}
			m.EarlyHeaderMutationExtensions = slices.Clip(m.EarlyHeaderMutationExtensions[:own])
			m.RouteSpecifier = was[i].RouteSpecifier
		}
		if !proto.Equal(m, was[i]) {
			t.Errorf("chain %d has become\n%v\nof\n%v", i, m, was[i])
		}
	}
}

// managers are the connection managers of a listener in the order of chains.
func managers(t *testing.T, r *resource.Resource) (all []*hcmv3.HttpConnectionManager) {
	t.Helper()
	message, err := r.Message()
	if err != nil {
		t.Fatal(err)
	}
	l := message.(*listenerv3.Listener)
	for _, chain := range append(l.FilterChains, l.DefaultFilterChain) {
		m := new(hcmv3.HttpConnectionManager)
		if err := chain.Filters[0].GetTypedConfig().UnmarshalTo(m); err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

func TestAListenerWithNothingToRewriteIsReturnedAsItIs(t *testing.T) {
	l := read(t, mixed())
	for _, s := range []*shape.Split{nil, {}} {
		if got, uses := shape.Listener(l, func(string) *shape.Split { return s }); got != l || len(uses) > 0 {
			t.Errorf("without leaves: rewritten %t, uses %+v", got != l, uses)
		}
	}
	left := chained(t, filter("lua.v3.Lua", ""))
	if got, _ := shape.Listener(left, func(string) *shape.Split { return two }); got != left {
		t.Error("a listener of which all is left as written is not returned as it is")
	}
}

func TestWhatNoSchemaHasStaysInARewrittenListener(t *testing.T) {
	message, err := chained(t, "").Message()
	if err != nil {
		t.Fatal(err)
	}
	l := message.(*listenerv3.Listener)
	l.ProtoReflect().SetUnknown([]byte{0xfa, 0xff, 0x03, 0x01, 'x'})
	l.ListenerFilters = []*listenerv3.ListenerFilter{{Name: "own", ConfigType: &listenerv3.ListenerFilter_TypedConfig{
		TypedConfig: &anypb.Any{TypeUrl: "type.googleapis.com/our.own.Filter", Value: []byte("opaque")}}}}
	r, err := resource.Decoder{AllowUnknown: true, AllowOpaqueTypes: true}.New(l)
	if err != nil {
		t.Fatal(err)
	}
	got, uses := shape.Listener(r, func(string) *shape.Split { return two })
	if len(uses) != 1 || uses[0].Left != "" {
		t.Fatalf("uses are %+v", uses)
	}
	for _, want := range []string{"\xfa\xff\x03\x01x", "our.own.Filter", "opaque"} {
		if !strings.Contains(string(got.Bytes()), want) {
			t.Errorf("%q is gone", want)
		}
	}
}

func TestAPointThatATreeCannotCompareWithKeepsATableWhole(t *testing.T) {
	for point, usable := range map[string]bool{
		"a": true, "[::1]:80": true, "%')\\\"": true, "/A'": true, "": true, "/" + strings.Repeat("a", 1000): true,
		"A": false, "\xff": false, "é": false, "a b": false, "/\n": false, strings.Repeat("a", 85): false, "/" + strings.Repeat("a", 1024): false,
	} {
		if got := shape.Usable(point); got != usable {
			t.Errorf("point %q is usable: %t", point, got)
		}
		for _, l := range []shape.Leaf{{Host: point}, {Path: point}} {
			s := &shape.Split{Leaves: []shape.Leaf{{ID: 0}, {ID: 1, Host: l.Host, Path: l.Path}}}
			_, uses := shape.Listener(chained(t, ""), func(string) *shape.Split { return s })
			if left := uses[0].Left != ""; left != (!usable || len(l.Host) > 84) {
				t.Errorf("leaf %+v: uses are %+v", l, uses)
			}
		}
	}
}

func TestTheFiltersThatAreKnownExist(t *testing.T) {
	for _, name := range shape.KnownFilters() {
		if _, err := protoregistry.GlobalTypes.FindMessageByURL("type.googleapis.com/" + name); err != nil {
			t.Errorf("filter %s: %v", name, err)
		}
	}
}
