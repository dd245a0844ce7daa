package shape

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"

	"github.com/deltaplane/deltaplane/resource"
)

// Use is an HTTP connection manager that routes by a table which is split.
type Use struct {
	Table string
	Where string // the filter chain: filter_chains[0] "name"
	Left  string // why it stays as written, as a sentence for users; "": it is rewritten
}

// Refers lists the tables that l's HTTP connection managers name by rds over
// ADS, each once. Cost: the first call for l parses it; later ones are cheap.
func Refers(l *resource.Resource) []string {
	var tables []string
	for _, r := range l.References() {
		if r.Type == resource.Route {
			tables = append(tables, r.Name)
		}
	}
	return tables
}

// Listener is l as it is served to Envoys that can have split tables: each of
// its HTTP connection managers that routes by rds over ADS with a table for
// which split returns one with leaves gets scoped routes and the tree that
// leads to the table's leaves. Nothing else changes. With nothing to rewrite
// it is l itself. The uses are of tables with a split, in the order of filter
// chains. Same input, same bytes.
//
// Cost: l is parsed, and written if it changes; about 60 bytes for each leaf.
func Listener(l *resource.Resource, split func(table string) *Split) (*resource.Resource, []Use) {
	if !slices.ContainsFunc(Refers(l), func(table string) bool { return divided(split(table)) }) {
		return l, nil
	}
	m, err := l.Message()
	if err != nil {
		return l, nil // bytes of a newer build: nothing is known of them
	}
	listener, ok := m.(*listenerv3.Listener)
	if !ok {
		return l, nil
	}
	r := rewriter{split: split}
	r.listener(listener)
	if !r.changed {
		return l, r.uses
	}
	rewritten, err := resource.Decoder{MaxResourceBytes: unlimited, AllowUnknown: true, AllowOpaqueTypes: true}.New(listener)
	if err != nil {
		for i := range r.uses {
			if r.uses[i].Left == "" {
				r.uses[i].Left = fmt.Sprintf("The listener is not valid with it: %v.", err)
			}
		}
		return l, r.uses
	}
	return rewritten.WithTTL(l.TTL()), r.uses
}

// unlimited: the limit on the size of a resource is for what users write.
const unlimited = 1 << 30

// divided reports whether a table has leaves to lead to.
func divided(s *Split) bool { return s != nil && len(s.Leaves) > 0 }

// rewriter rewrites the HTTP connection managers of one listener.
type rewriter struct {
	split   func(table string) *Split
	uses    []Use
	changed bool
}

func (r *rewriter) listener(l *listenerv3.Listener) {
	for i, chain := range l.FilterChains {
		where := fmt.Sprintf("filter_chains[%d]", i)
		if chain.Name != "" {
			where += fmt.Sprintf(" %q", chain.Name)
		}
		r.chain(where, chain)
	}
	if l.DefaultFilterChain != nil {
		r.chain("default_filter_chain", l.DefaultFilterChain)
	}
}

func (r *rewriter) chain(where string, chain *listenerv3.FilterChain) {
	for _, filter := range chain.Filters {
		config := filter.GetTypedConfig()
		if config == nil || !config.MessageIs((*hcmv3.HttpConnectionManager)(nil)) {
			continue
		}
		m := new(hcmv3.HttpConnectionManager)
		if config.UnmarshalTo(m) != nil {
			continue
		}
		if r.manager(where, m) {
			filter.ConfigType = &listenerv3.Filter_TypedConfig{TypedConfig: wrapped(m)}
			r.changed = true
		}
	}
}

// manager rewrites m, if it can.
func (r *rewriter) manager(where string, m *hcmv3.HttpConnectionManager) bool {
	rds := m.GetRds()
	if source := rds.GetConfigSource(); source.GetAds() == nil && source.GetSelf() == nil {
		return false
	}
	s := r.split(rds.RouteConfigName)
	if !divided(s) {
		return false
	}
	use := Use{Table: rds.RouteConfigName, Where: where, Left: obstacle(m)}
	if !usable(s) {
		use.Left = "The table is cut where no listener can say it." // by a version that could
	}
	r.uses = append(r.uses, use)
	if use.Left != "" {
		return false
	}
	m.RouteSpecifier = &hcmv3.HttpConnectionManager_ScopedRoutes{ScopedRoutes: scopedRoutes()}
	m.EarlyHeaderMutationExtensions = append(m.EarlyHeaderMutationExtensions, &corev3.TypedExtensionConfig{
		Name:        mutationExtension,
		TypedConfig: wrapped(mutations(rds.RouteConfigName, s)),
	})
	return true
}

// usable reports whether a tree can compare with all points of s.
func usable(s *Split) bool {
	return !slices.ContainsFunc(s.Leaves, func(l Leaf) bool { return !Usable(l.Host) || len(l.Host) > maxHost || !Usable(l.Path) })
}

// scopedRoutes leads from Header to a scope. It is the same for all tables:
// Envoy has one subscription for all equal scoped_rds of an aggregated stream.
func scopedRoutes() *hcmv3.ScopedRoutes {
	return &hcmv3.ScopedRoutes{
		Name: "deltaplane",
		ScopeKeyBuilder: &hcmv3.ScopedRoutes_ScopeKeyBuilder{Fragments: []*hcmv3.ScopedRoutes_ScopeKeyBuilder_FragmentBuilder{{
			Type: &hcmv3.ScopedRoutes_ScopeKeyBuilder_FragmentBuilder_HeaderValueExtractor_{
				HeaderValueExtractor: &hcmv3.ScopedRoutes_ScopeKeyBuilder_FragmentBuilder_HeaderValueExtractor{
					Name:        Header,
					ExtractType: &hcmv3.ScopedRoutes_ScopeKeyBuilder_FragmentBuilder_HeaderValueExtractor_Index{Index: 0},
				},
			},
		}}},
		RdsConfigSource: overADS(),
		ConfigSpecifier: &hcmv3.ScopedRoutes_ScopedRds{ScopedRds: &hcmv3.ScopedRds{ScopedRdsConfigSource: overADS()}},
	}
}

func overADS() *corev3.ConfigSource {
	return &corev3.ConfigSource{
		ConfigSourceSpecifier: &corev3.ConfigSource_Ads{Ads: &corev3.AggregatedConfigSource{}},
		ResourceApiVersion:    corev3.ApiVersion_V3,
	}
}

// wrapped is m as an Any. The canonical form comes with resource.New.
func wrapped(m proto.Message) *anypb.Any {
	a, err := anypb.New(m)
	if err != nil {
		panic(fmt.Sprintf("shape: %T cannot be written: %v", m, err)) // INVARIANT: it was read, or made here, as valid UTF-8
	}
	return a
}
