package view

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"pgregory.net/rapid"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
)

// leading is a listener whose only filter chain routes by the table.
func leading(t failer, name, table string) *resource.Resource {
	router := &hcmv3.HttpFilter{Name: "router", ConfigType: &hcmv3.HttpFilter_TypedConfig{TypedConfig: wrap(t, &routerv3.Router{})}}
	manager := &hcmv3.HttpConnectionManager{
		StatPrefix: name, HttpFilters: []*hcmv3.HttpFilter{router},
		RouteSpecifier: &hcmv3.HttpConnectionManager_Rds{Rds: &hcmv3.Rds{RouteConfigName: table, ConfigSource: ads()}},
	}
	return made(t, &listenerv3.Listener{Name: name, FilterChains: []*listenerv3.FilterChain{{Filters: []*listenerv3.Filter{{
		Name: "http", ConfigType: &listenerv3.Filter_TypedConfig{TypedConfig: wrap(t, manager)},
	}}}}})
}

func wrap(t failer, m proto.Message) *anypb.Any {
	a, err := anypb.New(m)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// scope is one of a user's own.
func scope(t failer, name, table string) *resource.Resource {
	return made(t, &routev3.ScopedRouteConfiguration{
		Name: name, RouteConfigurationName: table,
		Key: &routev3.ScopedRouteConfiguration_Key{Fragments: []*routev3.ScopedRouteConfiguration_Key_Fragment{
			{Type: &routev3.ScopedRouteConfiguration_Key_Fragment_StringKey{StringKey: name}},
		}},
	})
}

// cutAt is a split by host at the given domains.
func cutAt(first uint32, domains ...string) *shape.Split {
	s := &shape.Split{Options: shape.Defaults(), Leaves: []shape.Leaf{{ID: first}}, Next: first + 1}
	for _, domain := range domains {
		s.Leaves = append(s.Leaves, shape.Leaf{ID: s.Next, Host: domain})
		s.Next++
	}
	return s
}

// split gives the shell that is stored at a key a split.
func (s *store) split(namespace, name string, split *shape.Split) { s.splits(namespace, name, split) }

// splits gives it several.
func (s *store) splits(namespace, name string, splits ...*shape.Split) {
	path := deltaplane.Key{Namespace: namespace, Type: resource.Route, Name: name}.Path()
	if e, ok := s.tree.Get(path); ok {
		s.tree = s.tree.Put(path, &deltaplane.Entry{Resource: e.Resource, Splits: splits})
	}
}

func TestAShapedViewDerivedStepByStepEqualsOneMadeAnew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		namespaces := []string{"n1", "n2"}
		var s store
		by := rapid.SampledFrom(shapings).Draw(t, "shaping")
		derived := NewShapedBy(s.commit(), namespaces, by)
		for range rapid.IntRange(1, 20).Draw(t, "commits") {
			for range rapid.IntRange(1, 3).Draw(t, "changes") {
				randomShapedChange(t, &s)
			}
			derived = derived.At(s.commit())
			anew := NewShapedBy(deltaplane.NewSnapshot(s.version, derived.Time(), s.tree), namespaces, by)
			for _, typ := range resource.Served() {
				if a, b := derived.Table(typ), anew.Table(typ); a.Hash() != b.Hash() {
					t.Fatalf("%s: derived %v, anew %v", typ.Short(), names(a), names(b))
				}
			}
			if a, b := derived.inside, anew.inside; a.Hash() != b.Hash() {
				t.Fatalf("inside: derived %q, anew %q", names(a), names(b))
			}
			for name, l := range anew.Table(resource.Listener).All() {
				if was, _ := derived.Table(resource.Listener).Get(name); !slices.Equal(was.Leads(), l.Leads()) {
					t.Fatalf("listener %s leads to %q, anew to %q", name, was.Leads(), l.Leads())
				}
			}
		}
	})
}

// fewer is a split by other options than cutAt's.
var fewer = &shape.Split{
	Options: shape.Options{Shards: 2, Duplication: 2}, Made: 3,
	Leaves: []shape.Leaf{{ID: 100}, {ID: 101, Host: "n"}}, Next: 102,
}

// shapings are what fleets may say, and have said before.
var shapings = []deltaplane.Shaping{
	deltaplane.DefaultShaping(),
	{Options: fewer.Options},
	{Options: fewer.Options, Past: []deltaplane.PastShape{{Options: shape.Defaults(), Ended: 5}}},
	{Options: shape.Defaults(), Past: []deltaplane.PastShape{{Options: fewer.Options, Ended: 5}}},
	{Options: shape.Defaults(), Past: []deltaplane.PastShape{{Options: fewer.Options, Ended: 3}}}, // before it was made
	{AsWritten: true},
	{AsWritten: true, Past: []deltaplane.PastShape{{Options: fewer.Options, Ended: 5}}},
}

func randomShapedChange(t *rapid.T, s *store) {
	namespace := rapid.SampledFrom([]string{"n1", "n1", "n2"}).Draw(t, "namespace")
	name := rapid.SampledFrom([]string{"a", "a", "a/b"}).Draw(t, "name")
	hostName := rapid.SampledFrom([]string{"m", "x", "y"}).Draw(t, "host")
	n := rapid.IntRange(0, 2).Draw(t, "content")
	switch rapid.SampledFrom([]int{0, 1, 2, 3, 4, 4, 4, 5, 6, 6, 6, 7}).Draw(t, "change") {
	case 0:
		s.put(namespace, leading(t, fmt.Sprint("l-", n), name), false)
	case 1:
		s.drop(namespace, resource.Listener, fmt.Sprint("l-", n))
	case 2:
		e, ok := s.tree.Get(deltaplane.Key{Namespace: namespace, Type: resource.Route, Name: name}.Path())
		s.put(namespace, shell(t, name, false, n), false)
		if ok { // as in the store, it stays
			s.splits(namespace, name, e.Splits...)
		}
	case 3:
		s.drop(namespace, resource.Route, name)
	case 4:
		s.put(namespace, host(t, name+"/"+hostName, "c", fmt.Sprintf("%s%d.%s", hostName, n, namespace)), n > 0)
	case 5:
		s.drop(namespace, resource.VirtualHost, name+"/"+hostName)
	case 6:
		split := cutAt(uint32(n*10), "m1", "x2")
		if n == 0 {
			split.Retired, split.Leaves = []shape.Retired{{ID: 9, Area: shape.Area{HostTo: "x"}, Since: time.Unix(1, 0)}}, nil
		}
		s.splits(namespace, name, append([]*shape.Split{split}, rapid.SampledFrom([][]*shape.Split{nil, {fewer}}).Draw(t, "others")...)...)
	case 7:
		if n == 0 {
			s.put(namespace, scope(t, "own", "a"), false)
		} else {
			s.drop(namespace, resource.ScopedRoute, "own")
		}
	}
}

// gateway is a store with a listener and a table of ten hosts in three leaves.
func gateway(t *testing.T) *store {
	var s store
	s.put("default", leading(t, "web", "gateway"), false)
	s.put("default", shell(t, "gateway", false, 0), false)
	for i := range 10 {
		s.put("default", host(t, fmt.Sprintf("gateway/h%d", i), "c", fmt.Sprintf("h%d.test", i)), true)
	}
	s.split("default", "gateway", cutAt(1, "h3.test", "h6.test"))
	return &s
}

func TestASplitTableHasAScopeAndATableForEachLeaf(t *testing.T) {
	v := NewShaped(gateway(t).commit(), []string{"default"})
	for id, want := range map[uint32][]string{1: {"h0", "h1", "h2"}, 2: {"h3", "h4", "h5"}, 3: {"h6", "h7", "h8", "h9"}} {
		if got := hostsOf(t, v, shape.Name("gateway", id)); !slices.Equal(got, want) {
			t.Errorf("leaf %d has %q, want %q", id, got, want)
		}
		r, ok := v.Table(resource.ScopedRoute).Get(shape.Name("gateway", id))
		if to, _ := RoutesOf(r); !ok || to != shape.Name("gateway", id) {
			t.Errorf("the scope of leaf %d leads to %q", id, to)
		}
	}
	if got := hostsOf(t, v, "gateway"); len(got) != 10 {
		t.Errorf("the table itself has %q", got)
	}
	l, _ := v.Table(resource.Listener).Get("web")
	if got := l.Leads(); len(got) != 3 {
		t.Errorf("the listener leads to %q", got)
	}
}

func TestAChangedHostChangesItsLeafAlone(t *testing.T) {
	s := gateway(t)
	before := NewShaped(s.commit(), []string{"default"})
	s.put("default", host(t, "gateway/h4", "other", "h4.test"), true)
	after := before.At(s.commit())
	for _, typ := range resource.Served() {
		out := Diff(Holding(before.Table(typ), Table{}), after.Table(typ), new(Interner).Of(true, nil), Limits{Removals: true})
		var changed []string
		for _, u := range out.Upserts {
			changed = append(changed, u.Name())
		}
		want := map[resource.Type]string{resource.Route: shape.Name("gateway", 2) + " gateway"}[typ]
		if got := strings.Join(changed, " "); got != want || len(out.Removed) > 0 {
			t.Errorf("%s: sent %q, removed %q; want %q", typ.Short(), got, out.Removed, want)
		}
	}
}

func TestWhereSomebodyHasScopesAllIsAsWritten(t *testing.T) {
	s := gateway(t)
	shaped := NewShaped(s.commit(), []string{"default"})
	s.put("default", scope(t, "own", "gateway"), false)
	snapshot := s.commit()
	shaped, written := shaped.At(snapshot), New(snapshot, []string{"default"})
	for _, typ := range resource.Served() {
		if a, b := shaped.Table(typ), written.Table(typ); a.Hash() != b.Hash() {
			t.Errorf("%s: %q, as written %q", typ.Short(), names(a), names(b))
		}
	}
}

// shared is gateway's table with two splits, and who has leaves of which.
func shared(t *testing.T) *store {
	s := gateway(t)
	s.splits("default", "gateway", cutAt(1, "h3.test", "h6.test"), fewer)
	return s
}

// leavesIn are the IDs of a view's scopes, and of those that its listener leads to.
func leavesIn(v *View) (all, led []string) {
	l, _ := v.Table(resource.Listener).Get("web")
	for name := range v.Table(resource.ScopedRoute).All() {
		all = append(all, name)
	}
	return all, l.Leads()
}

func TestEachFleetHasTheLeavesOfItsSplitAndThoseThatItMayDrainFrom(t *testing.T) {
	s := shared(t).commit()
	many := []string{shape.Name("gateway", 1), shape.Name("gateway", 2), shape.Name("gateway", 3)}
	few := []string{shape.Name("gateway", 100), shape.Name("gateway", 101)}
	both := slices.Concat(many, few)
	slices.Sort(both)
	slices.Sort(few)
	for i, want := range [][2][]string{{many, many}, {few, few}, {both, few}, {both, many}, {many, many}, {nil, nil}, {few, nil}} {
		all, led := leavesIn(NewShapedBy(s, []string{"default"}, shapings[i]))
		slices.Sort(all)
		if !slices.Equal(all, want[0]) || !slices.Equal(led, want[1]) {
			t.Errorf("by %+v there are %q, and listeners lead to %q; want %q", shapings[i], all, led, want)
		}
	}
}

func TestAChangedHostChangesOneLeafOfEachFleetsSplit(t *testing.T) {
	s := shared(t)
	first := s.commit()
	views := map[string]*View{
		shape.Name("gateway", 2):   NewShapedBy(first, []string{"default"}, shapings[0]),
		shape.Name("gateway", 100): NewShapedBy(first, []string{"default"}, shapings[1]),
	}
	s.put("default", host(t, "gateway/h4", "other", "h4.test"), true)
	second := s.commit()
	for leaf, before := range views {
		var changed []string
		for c := range radix.Diff(before.Table(resource.Route), before.At(second).Table(resource.Route)) {
			changed = append(changed, c.Key)
		}
		if want := []string{leaf, "gateway"}; !slices.Equal(changed, want) {
			t.Errorf("changed are %q, want %q", changed, want)
		}
	}
}
