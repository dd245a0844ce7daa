package xds

import (
	"fmt"
	"strings"
	"testing"
	"time"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
	"github.com/deltaplane/deltaplane/view"
)

func packed(t *testing.T, m proto.Message) *anypb.Any {
	t.Helper()
	a, err := anypb.New(m)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// gatewayListener routes by the table called gateway.
func gatewayListener(t *testing.T) proto.Message {
	manager := &hcmv3.HttpConnectionManager{
		StatPrefix:     "web",
		RouteSpecifier: &hcmv3.HttpConnectionManager_Rds{Rds: &hcmv3.Rds{RouteConfigName: "gateway", ConfigSource: worldSource()}},
		HttpFilters: []*hcmv3.HttpFilter{{Name: "router", ConfigType: &hcmv3.HttpFilter_TypedConfig{
			TypedConfig: packed(t, &routerv3.Router{}),
		}}},
	}
	return &listenerv3.Listener{Name: "web", FilterChains: []*listenerv3.FilterChain{{Filters: []*listenerv3.Filter{{
		Name: "http", ConfigType: &listenerv3.Filter_TypedConfig{TypedConfig: packed(t, manager)},
	}}}}}
}

func leaf(id int) string { return shape.Name("gateway", uint32(id)) }

// split makes the table's leaves those with these IDs, each from a host on.
func (k *talker) split(hosts map[int]string, ids ...int) {
	s := &shape.Split{Options: shape.Defaults()}
	for _, id := range ids {
		s.Leaves = append(s.Leaves, shape.Leaf{ID: uint32(id), Host: hosts[id]})
	}
	path := deltaplane.Key{Namespace: deltaplane.DefaultNamespace, Type: resource.Route, Name: "gateway"}.Path()
	e, _ := k.store.tree.Get(path)
	k.store.tree = k.store.tree.Put(path, &deltaplane.Entry{Resource: e.Resource, Splits: []*shape.Split{s}})
}

var cuts = map[int]string{1: "", 2: "m.test", 3: "", 4: "f.test", 5: "x.test"}

// leadTalker is an Envoy that has the table in the leaves 1 and 2.
func leadTalker(t *testing.T) *talker {
	k := newTalker(t, true)
	k.store.put(t, gatewayListener(t), &routev3.RouteConfiguration{Name: "gateway"},
		hostOf("gateway/a", "c", "a.test"), hostOf("gateway/z", "c", "z.test"))
	k.split(cuts, 1, 2)
	k.view = view.NewShaped(k.store.commit(), []string{deltaplane.DefaultNamespace})
	k.talk.show(k.view, k.view.Version(), false)
	k.subscribes(resource.Listener)
	k.hears("Listener +web") // Envoy warms its first listener with scopes
	k.accepts(resource.Listener)
	k.subscribes(resource.ScopedRoute)
	k.hears("ScopedRoute +" + leaf(1) + " +" + leaf(2))
	k.accepts(resource.ScopedRoute)
	k.subscribes(resource.Route, leaf(1), leaf(2))
	k.hears("Route +" + leaf(1) + " +" + leaf(2))
	k.accepts(resource.Route)
	k.hears("")
	return k
}

func hostOf(name, cluster, domain string) proto.Message {
	return &routev3.VirtualHost{Name: name, Domains: []string{domain}, Routes: []*routev3.Route{{
		Match:  &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Prefix{Prefix: "/"}},
		Action: &routev3.Route_Route{Route: &routev3.RouteAction{ClusterSpecifier: &routev3.RouteAction_Cluster{Cluster: cluster}}},
	}}}
}

func TestAListenerFollowsTheLeavesThatItLeadsTo(t *testing.T) {
	k := leadTalker(t)
	k.split(cuts, 3, 4, 2)
	k.commit()
	k.hears("ScopedRoute +" + leaf(3) + " +" + leaf(4))
	k.hears("")
	k.accepts(resource.ScopedRoute)
	k.hears("") // not the listener: the routes are missing
	k.subscribes(resource.Route, leaf(3), leaf(4))
	k.hears("Route +" + leaf(3) + " +" + leaf(4))
	k.hears("")
	k.accepts(resource.Route)
	k.hears("Listener +web")
	k.hears("") // nor what the old one may still lead to
	k.accepts(resource.Listener)
	k.hears("ScopedRoute -" + leaf(1))
}

func TestAListenerDoesNotWaitForEverForItsLeaves(t *testing.T) {
	k := leadTalker(t)
	k.split(cuts, 3, 4, 2)
	k.commit()
	k.hears("ScopedRoute +" + leaf(3) + " +" + leaf(4))
	k.accepts(resource.ScopedRoute)
	k.hears("")
	if at, ok := k.talk.wake(k.now); !ok || !at.Equal(k.now.Add(15*time.Second)) {
		t.Errorf("wakes at %v %v, want after 15 s", at, ok)
	}
	k.now = k.now.Add(15 * time.Second)
	k.hears("Listener +web")
}

// When the last listener with scopes has gone Envoy gives up the tables, but
// not the scopes: it will not ask for these again.
func TestScopesGoOnceMoreBehindAListenerThatIsTheFirstWithScopesAgain(t *testing.T) {
	k := leadTalker(t)
	k.split(cuts) // as written
	k.commit()
	k.hears("Listener +web")
	k.accepts(resource.Listener)
	k.settles()
	k.says(request{typeURL: resource.Route.URL(), unsubscribe: []string{leaf(1), leaf(2)}})
	k.subscribes(resource.Route, "gateway")
	k.settles()
	k.split(cuts, 3, 4)
	k.commit()
	k.hears("ScopedRoute +" + leaf(3) + " +" + leaf(4))
	k.accepts(resource.ScopedRoute)
	k.hears("")
	k.now = k.now.Add(resumption)
	k.hears("Listener +web")
	k.accepts(resource.Listener)
	k.hears("ScopedRoute +" + leaf(3) + " +" + leaf(4))
}

// The last listener with scopes may drain while the next one is on its way.
func TestScopesGoAllTogetherBehindAListenerThatMissedTheLastOneWithScopes(t *testing.T) {
	k := leadTalker(t)
	k.split(cuts, 3, 4, 2)
	k.commit()
	k.hears("ScopedRoute +" + leaf(3) + " +" + leaf(4))
	k.accepts(resource.ScopedRoute)
	k.subscribes(resource.Route, leaf(3), leaf(4))
	k.hears("Route +" + leaf(3) + " +" + leaf(4))
	k.accepts(resource.Route)
	k.hears("Listener +web")
	k.split(cuts, 3, 4, 2, 5)
	k.commit()
	k.says(request{typeURL: resource.Route.URL(), unsubscribe: []string{leaf(1), leaf(2), leaf(3), leaf(4)}})
	k.hears("") // leaf 5 alone would be all that the listener has
	k.accepts(resource.Listener)
	k.hears("ScopedRoute +" + leaf(2) + " +" + leaf(3) + " +" + leaf(4) + " +" + leaf(5))
}

// manyLeaves is an Envoy that has a table in n leaves, a host in each.
func manyLeaves(t *testing.T, n int) *talker {
	k := newTalker(t, true)
	hosts, ids, names := map[int]string{}, []int{}, []string{}
	k.store.put(t, gatewayListener(t), &routev3.RouteConfiguration{Name: "gateway"})
	for i := range n {
		ids, names = append(ids, i), append(names, leaf(i))
		if i > 0 {
			hosts[i] = fmt.Sprintf("h%02d.test", i)
		}
	}
	k.split(hosts, ids...)
	k.hostsTo(t, n, "c")
	k.view = view.NewShaped(k.store.commit(), []string{deltaplane.DefaultNamespace})
	k.talk.show(k.view, k.view.Version(), false)
	k.subscribes(resource.Route, names...)
	k.settles()
	return k
}

// hostsTo sends all hosts to a cluster.
func (k *talker) hostsTo(t *testing.T, n int, cluster string) {
	for i := range n {
		k.store.put(t, hostOf(fmt.Sprintf("gateway/h%02d", i), cluster, fmt.Sprintf("h%02d.test", i)))
	}
}

func TestFewChangedLeavesGoEachByItself(t *testing.T) {
	k := manyLeaves(t, crowd)
	k.hostsTo(t, crowd, "other")
	k.commit()
	for range crowd {
		s := k.talk.next(k.now)
		if s == nil || len(s.plan.Upserts) != 1 {
			t.Fatalf("heard %+v, want one leaf", s)
		}
		k.nonces[resource.Route] = s.response.Nonce
		k.accepts(resource.Route)
	}
	k.hears("")
}

func TestManyChangedLeavesGoTogetherUntilTheyAreRefused(t *testing.T) {
	const n = crowd + 2
	k := manyLeaves(t, n)
	k.hostsTo(t, n, "other")
	k.commit()
	s := k.talk.next(k.now)
	if s == nil || len(s.plan.Upserts) != n {
		t.Fatalf("heard %+v, want all leaves", s)
	}
	bad := leaf(7)
	k.says(request{typeURL: resource.Route.URL(), nonce: s.response.Nonce, refusal: &status.Status{Message: bad + " is bad"}})
	good := 0
	for s = k.talk.next(k.now); s != nil; s = k.talk.next(k.now) {
		if len(s.plan.Upserts) != 1 {
			t.Fatalf("after a refusal %d leaves come together", len(s.plan.Upserts))
		}
		q := request{typeURL: resource.Route.URL(), nonce: s.response.Nonce}
		if s.plan.Upserts[0].Name() == bad {
			q.refusal = &status.Status{Message: bad + " is bad"}
		} else {
			good++
		}
		k.says(q)
	}
	if good != n-1 {
		t.Errorf("%d of %d good leaves were accepted", good, n-1)
	}
}

func TestARefusalNamesTheTableAndNotItsLeaf(t *testing.T) {
	k := manyLeaves(t, 12)
	var told Event
	k.talk.observe = func(e Event) {
		if e.Kind == Refused {
			told = e
		}
	}
	k.hostsTo(t, 12, "other")
	k.commit()
	s := k.talk.next(k.now)
	k.says(request{typeURL: resource.Route.URL(), nonce: s.response.Nonce, refusal: &status.Status{Message: s.plan.Upserts[0].Name() + ": no such cluster"}})
	if told.Detail != "gateway: no such cluster" || strings.Join(told.Resources, " ") != "gateway" {
		t.Errorf("told of %q: %q", told.Resources, told.Detail)
	}
}

func TestALeafThatIsAskedForAgainCountsAsMissing(t *testing.T) {
	k := leadTalker(t)
	k.split(cuts, 3, 4, 2)
	k.commit()
	k.hears("ScopedRoute +" + leaf(3) + " +" + leaf(4))
	k.accepts(resource.ScopedRoute)
	k.subscribes(resource.Route, leaf(3), leaf(4))
	k.hears("Route +" + leaf(3) + " +" + leaf(4))
	k.accepts(resource.Route)
	k.says(request{typeURL: resource.Route.URL(), unsubscribe: []string{leaf(3)}})
	k.subscribes(resource.Route, leaf(3))
	k.hears("Route +" + leaf(3))
	k.hears("")
	k.accepts(resource.Route)
	k.hears("Listener +web")
}
