package shapefuzz

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"

	xdscorev3 "github.com/cncf/xds/go/xds/core/v3"
	treev3 "github.com/cncf/xds/go/xds/type/matcher/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/proto"
)

// matcher is a tree of routes that a host has instead of a list.
func (t *tables) matcher(host string) *treev3.Matcher {
	values, header := kinds, "x-kind"
	if t.percent(60) {
		values, header = segments, ":path"
	}
	m := &treev3.Matcher_MatcherTree{Input: &xdscorev3.TypedExtensionConfig{
		Name: "header", TypedConfig: packed(&matcherv3.HttpRequestHeaderMatchInput{HeaderName: header})}}
	found := &treev3.Matcher_MatcherTree_MatchMap{Map: map[string]*treev3.Matcher_OnMatch{}}
	for i := range t.between(1, 5) {
		found.Map[oneOf(t.random, values...)] = t.found(fmt.Sprintf("%s-m%d", host, i))
	}
	m.TreeType = &treev3.Matcher_MatcherTree_PrefixMatchMap{PrefixMatchMap: found}
	if t.percent(40) {
		m.TreeType = &treev3.Matcher_MatcherTree_ExactMatchMap{ExactMatchMap: found}
	}
	tree := &treev3.Matcher{MatcherType: &treev3.Matcher_MatcherTree_{MatcherTree: m}}
	if t.percent(60) {
		tree.OnNoMatch = t.found(host + "-rest")
	}
	return tree
}

// routesOf are the routes in a tree.
func routesOf(tree *treev3.Matcher) (all []*routev3.Route) {
	add := func(m *treev3.Matcher_OnMatch) {
		config := m.GetAction().GetTypedConfig()
		list, one := new(routev3.RouteList), new(routev3.Route)
		if config.UnmarshalTo(list) == nil {
			all = append(all, list.Routes...)
		} else if config.UnmarshalTo(one) == nil {
			all = append(all, one)
		}
	}
	for _, found := range []*treev3.Matcher_MatcherTree_MatchMap{tree.GetMatcherTree().GetExactMatchMap(), tree.GetMatcherTree().GetPrefixMatchMap()} {
		for _, value := range slices.Sorted(maps.Keys(found.GetMap())) {
			add(found.GetMap()[value])
		}
	}
	add(tree.GetOnNoMatch())
	return all
}

// digest tells trees apart.
func digest(tree *treev3.Matcher) string {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(tree)
	if err != nil {
		panic(err) // INVARIANT: it was read, or made here, as valid UTF-8
	}
	return fmt.Sprintf("%x", sha256.Sum256(b))
}

// found is a route, or a list of some.
func (t *tables) found(name string) *treev3.Matcher_OnMatch {
	action := &xdscorev3.TypedExtensionConfig{Name: "route", TypedConfig: packed(t.route(name))}
	if t.percent(40) {
		list := &routev3.RouteList{}
		for i := range t.between(1, 4) {
			list.Routes = append(list.Routes, t.route(fmt.Sprintf("%s-%d", name, i)))
		}
		action.TypedConfig = packed(list)
	}
	return &treev3.Matcher_OnMatch{OnMatch: &treev3.Matcher_OnMatch_Action{Action: action}}
}
