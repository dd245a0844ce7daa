package shapefuzz

import (
	"fmt"

	rulesv3 "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	rbacconfigv3 "github.com/envoyproxy/go-control-plane/envoy/config/rbac/v3"
	corsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/cors/v3"
	csrfv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/csrf/v3"
	faultv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/fault/v3"
	mutationv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_mutation/v3"
	localv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/local_ratelimit/v3"
	luav3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/lua/v3"
	rbacv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// filters are those of the chain that tables have settings for.
var filters = map[string]struct {
	chain proto.Message // as it stands in the chain
	route func(r random, level string) proto.Message
}{
	"mutation": {&mutationv3.HeaderMutation{}, func(r random, level string) proto.Message {
		return &mutationv3.HeaderMutationPerRoute{Mutations: &mutationv3.Mutations{
			RequestMutations: []*rulesv3.HeaderMutation{{Action: &rulesv3.HeaderMutation_Append{Append: added("x-filtered", level)}}}}}
	}},
	// Scripts that change what requests are routed by, and do not have them
	// routed again.
	"lua": {&luav3.Lua{
		ClearRouteCache: wrapperspb.Bool(false), DefaultSourceCode: script(`handle:headers():add("x-filtered", "script")`),
		SourceCodes: map[string]*corev3.DataSource{"other": script(`handle:headers():replace(":path", "/other" .. handle:headers():get(":path"))`)},
	}, func(r random, _ string) proto.Message {
		if r.percent(50) {
			return &luav3.LuaPerRoute{Override: &luav3.LuaPerRoute_Disabled{Disabled: true}}
		}
		return &luav3.LuaPerRoute{Override: &luav3.LuaPerRoute_Name{Name: "other"}}
	}},
	"cors": {&corsv3.Cors{}, func(r random, _ string) proto.Message {
		return &corsv3.CorsPolicy{
			AllowOriginStringMatch: []*matcherv3.StringMatcher{exactly(oneOf(r, origins...))},
			AllowMethods:           oneOf(r, "", "GET,PUT"), ExposeHeaders: oneOf(r, "", "x-route"), MaxAge: oneOf(r, "", "60"),
			AllowCredentials: wrapperspb.Bool(r.percent(50)),
		}
	}},
	"csrf": {&csrfv3.CsrfPolicy{FilterEnabled: never}, func(r random, _ string) proto.Message {
		return &csrfv3.CsrfPolicy{FilterEnabled: oneOf(r, never, always),
			AdditionalOrigins: []*matcherv3.StringMatcher{exactly(oneOf(r, "a.test", "b.test:80"))}}
	}},
	"limit": {&localv3.LocalRateLimit{StatPrefix: "limit"}, limited},
	"fault": {&faultv3.HTTPFault{}, func(r random, level string) proto.Message {
		if r.percent(50) {
			return &faultv3.HTTPFault{}
		}
		return &faultv3.HTTPFault{Abort: &faultv3.FaultAbort{
			ErrorType:  &faultv3.FaultAbort_HttpStatus{HttpStatus: uint32(r.between(430, 440))},
			Percentage: &typev3.FractionalPercent{Numerator: 100}}}
	}},
	"rbac": {&rbacv3.RBAC{}, func(r random, level string) proto.Message {
		return &rbacv3.RBACPerRoute{Rbac: &rbacv3.RBAC{Rules: &rbacconfigv3.RBAC{
			Action: oneOf(r, rbacconfigv3.RBAC_ALLOW, rbacconfigv3.RBAC_DENY),
			Policies: map[string]*rbacconfigv3.Policy{level: {
				Permissions: []*rbacconfigv3.Permission{{Rule: &rbacconfigv3.Permission_Any{Any: true}}},
				Principals:  []*rbacconfigv3.Principal{{Identifier: &rbacconfigv3.Principal_Any{Any: true}}},
			}}}}}
	}},
}

// script is one for requests.
func script(body string) *corev3.DataSource {
	return &corev3.DataSource{Specifier: &corev3.DataSource_InlineString{InlineString: "function envoy_on_request(handle) " + body + " end"}}
}

// filterNames are the filters in the order of the chain.
var filterNames = []string{"cors", "csrf", "mutation", "lua", "fault", "rbac", "limit"}

// Shares of requests that leave nothing to chance.
var (
	never  = &corev3.RuntimeFractionalPercent{DefaultValue: &typev3.FractionalPercent{}}
	always = &corev3.RuntimeFractionalPercent{DefaultValue: &typev3.FractionalPercent{Numerator: 100}}
)

// packed is m as an Any.
func packed(m proto.Message) *anypb.Any {
	a, err := anypb.New(m)
	if err != nil {
		panic(fmt.Sprintf("shapefuzz: %T cannot be written: %v", m, err)) // INVARIANT: it was made here, as valid UTF-8
	}
	return a
}
