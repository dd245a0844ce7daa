package shapefuzz

import (
	"fmt"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// What paths are made of.
var segments = []string{"/a", "/b", "/ab", "/A", "/api", "/api/v1", "/a.b", "/z", "/é", "/-", "/~x", "/%41", "/a;v=1", "/_", "/0", "//", "/."}

// patterns are regular expressions, each with paths of which some match.
var patterns = []struct {
	regex string
	paths []string
}{
	{"/[x-z].*", []string{"/x", "/zed/1", "/w"}},
	{"/a(/b)?", []string{"/a", "/a/b", "/a/c"}},
	{".*\\.png", []string{"/a/b.png", "/.png", "/a.pngx"}},
	{"/api/v[0-9]+/.*", []string{"/api/v1/", "/api/v22/x", "/api/v/x"}},
	{"(?i)/Ab.*", []string{"/ab", "/AB/c", "/b"}},
	{"/[^/]+", []string{"/a", "/é", "/a/"}},
}

// path is one of a route.
func (t *tables) path() string {
	path := ""
	for range oneOf(t.random, 1, 1, 2, 2, 3) {
		path += oneOf(t.random, segments...)
	}
	if t.percent(60) {
		path += fmt.Sprintf("/%d", t.IntN(60))
	}
	return path
}

func (t *tables) route(name string) *routev3.Route {
	r := &routev3.Route{Name: name, Match: t.match()}
	r.RequestHeadersToAdd = t.edits("route-request", 10)
	r.ResponseHeadersToAdd = t.edits("route-response", 10)
	r.RequestHeadersToRemove = t.removals()
	r.TypedPerFilterConfig = t.filterConfig(name, 8)
	if t.percent(10) {
		r.Decorator = &routev3.Decorator{Operation: name, Propagate: oneOf(t.random, nil, wrapperspb.Bool(false))}
	}
	t.act(r)
	return r
}

func (t *tables) match() *routev3.RouteMatch {
	m := &routev3.RouteMatch{}
	sensitive := true
	switch n := t.IntN(100); {
	case n < 5:
		m.PathSpecifier = &routev3.RouteMatch_Prefix{Prefix: oneOf(t.random, "/", "/", "", "a")}
	case n < 45:
		m.PathSpecifier, sensitive = &routev3.RouteMatch_Prefix{Prefix: t.path()}, !t.percent(6)
	case n < 75:
		m.PathSpecifier, sensitive = &routev3.RouteMatch_Path{Path: t.path()}, !t.percent(6)
	case n < 90:
		m.PathSpecifier = &routev3.RouteMatch_PathSeparatedPrefix{PathSeparatedPrefix: t.path() + oneOf(t.random, "", "x")}
		if p := m.GetPathSeparatedPrefix(); p[len(p)-1] == '/' {
			m.PathSpecifier = &routev3.RouteMatch_PathSeparatedPrefix{PathSeparatedPrefix: p + "b"}
		}
		sensitive = !t.percent(6)
	case n < 96:
		m.PathSpecifier = &routev3.RouteMatch_SafeRegex{SafeRegex: &matcherv3.RegexMatcher{Regex: oneOf(t.random, patterns...).regex}}
	default:
		m.PathSpecifier = &routev3.RouteMatch_ConnectMatcher_{ConnectMatcher: &routev3.RouteMatch_ConnectMatcher{}}
	}
	if !sensitive {
		m.CaseSensitive = wrapperspb.Bool(false)
	}
	if t.percent(20) {
		m.Headers = append(m.Headers, t.headerMatcher())
	}
	if t.percent(8) {
		m.QueryParameters = append(m.QueryParameters, t.queryMatcher())
	}
	if t.percent(8) {
		m.RuntimeFraction = t.fraction()
	}
	if t.percent(3) {
		m.Grpc = &routev3.RouteMatch_GrpcRouteMatchOptions{}
	}
	return m
}

// fraction is all requests or none, as the default says, or the key. What is
// between depends on a number that Envoy draws for each request, which no two
// requests have in common.
func (t *tables) fraction() *corev3.RuntimeFractionalPercent {
	return &corev3.RuntimeFractionalPercent{
		RuntimeKey:   oneOf(t.random, "fuzz.unset", "fuzz.unset", keyOfAll, keyOfNone),
		DefaultValue: &typev3.FractionalPercent{Numerator: uint32(oneOf(t.random, 0, 100, 100)), Denominator: typev3.FractionalPercent_HUNDRED},
	}
}

// Keys of the runtime that Envoy has.
const (
	keyOfAll  = "fuzz.all"
	keyOfNone = "fuzz.none"
)

func exactly(s string) *matcherv3.StringMatcher {
	return &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Exact{Exact: s}}
}

func (t *tables) stringMatcher(values ...string) *matcherv3.StringMatcher {
	value := oneOf(t.random, values...)
	m := exactly(value)
	switch t.IntN(6) {
	case 0:
		m.MatchPattern = &matcherv3.StringMatcher_Prefix{Prefix: value[:1]}
	case 1:
		m.MatchPattern = &matcherv3.StringMatcher_Suffix{Suffix: value[len(value)-1:]}
	case 2:
		m.MatchPattern = &matcherv3.StringMatcher_Contains{Contains: value[len(value)-1:]}
	case 3:
		m.MatchPattern = &matcherv3.StringMatcher_SafeRegex{SafeRegex: &matcherv3.RegexMatcher{Regex: value[:1] + ".*"}}
		return m
	}
	m.IgnoreCase = t.percent(20)
	return m
}

func (t *tables) headerMatcher() *routev3.HeaderMatcher {
	m := &routev3.HeaderMatcher{Name: "x-kind", InvertMatch: t.percent(20)}
	switch t.IntN(5) {
	case 0:
		m.Name, m.HeaderMatchSpecifier = ":method", &routev3.HeaderMatcher_StringMatch{StringMatch: exactly(oneOf(t.random, methods...))}
	case 1:
		m.HeaderMatchSpecifier = &routev3.HeaderMatcher_PresentMatch{PresentMatch: t.percent(70)}
	case 2:
		m.HeaderMatchSpecifier = &routev3.HeaderMatcher_RangeMatch{RangeMatch: &typev3.Int64Range{Start: 5, End: 12}}
	default:
		m.HeaderMatchSpecifier = &routev3.HeaderMatcher_StringMatch{StringMatch: t.stringMatcher(kinds...)}
		m.TreatMissingHeaderAsEmpty = t.percent(20)
	}
	return m
}

func (t *tables) queryMatcher() *routev3.QueryParameterMatcher {
	if t.percent(40) {
		return &routev3.QueryParameterMatcher{Name: "q", QueryParameterMatchSpecifier: &routev3.QueryParameterMatcher_PresentMatch{PresentMatch: true}}
	}
	return &routev3.QueryParameterMatcher{Name: "q",
		QueryParameterMatchSpecifier: &routev3.QueryParameterMatcher_StringMatch{StringMatch: t.stringMatcher(kinds...)}}
}

// pathMatcher is what virtual clusters look at.
func (t *tables) pathMatcher() *routev3.HeaderMatcher {
	return &routev3.HeaderMatcher{Name: ":path", HeaderMatchSpecifier: &routev3.HeaderMatcher_StringMatch{
		StringMatch: &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Prefix{Prefix: oneOf(t.random, segments...)}}}}
}
