package xds

import (
	"maps"
	"slices"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"pgregory.net/rapid"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
)

// modelEnvoy does with responses what Envoy does:
//   - A new or changed cluster warms until its endpoints arrive, and does not
//     ask for a name that another one has asked for. While any warms, the
//     answer to the response of clusters is withheld.
//   - A new or changed listener warms until its routes and scopes have come,
//     and its secret, or the word that there is none; the old one serves until
//     then. It is acknowledged at once. The first listener with scopes waits
//     for the tables of all of them, others take what there is.
//   - The connections of a listener that was replaced go on for drainTime with
//     the routes that it had, also after these are removed.
//   - A scope that changes drops its table before it asks for another one.
//   - It ignores that a table is removed, or a secret that is in use. It need
//     not, but does, that endpoints are: the model does not.
type modelEnvoy struct {
	t     *rapid.T
	delta bool
	now   time.Time
	out   []request // to the server, in this order

	heard map[resource.Type]string          // the nonce of the last response
	asked map[resource.Type]map[string]bool // the names subscribed to; nil before the first request

	clusters, warming map[string]*modelCluster
	withheld          *request // the answer to clusters
	listeners, coming map[string]*modelListener
	draining          []*modelListener
	scopes            map[string]modelScope
	scopesKnown       bool // a response has come
	scopesLive        bool // a listener with scopes has been served
	tables            map[string]*modelTable
	dropped           map[string]bool // tables that went and may be wanted again, since the last request
	secrets           map[string]*modelSecret
}

type modelCluster struct {
	service string
	digest  resource.Digest
	ready   bool // has endpoints
}

type modelListener struct {
	name   string
	digest resource.Digest
	routes string // "": it has scopes
	secret string // "": none
	until  time.Time
}

type modelScope struct {
	table  string
	digest resource.Digest
}

type modelTable struct {
	hosts  map[string]string // domain → cluster; nil: it has not come
	digest resource.Digest
}

type modelSecret struct {
	answered, there bool
	digest          resource.Digest
}

// drainTime is for how long connections of old listeners go on.
const drainTime = 2 * time.Second

func newModelEnvoy(t *rapid.T, delta bool, now time.Time) *modelEnvoy {
	e := &modelEnvoy{
		t: t, delta: delta, now: now, heard: map[resource.Type]string{}, asked: map[resource.Type]map[string]bool{},
		clusters: map[string]*modelCluster{}, warming: map[string]*modelCluster{},
		listeners: map[string]*modelListener{}, coming: map[string]*modelListener{},
		scopes: map[string]modelScope{}, tables: map[string]*modelTable{}, dropped: map[string]bool{}, secrets: map[string]*modelSecret{},
	}
	e.out = append(e.out, request{typeURL: resource.Cluster.URL()}, request{typeURL: resource.Listener.URL()})
	return e
}

// receive takes in one response.
func (e *modelEnvoy) receive(s *send) {
	typ := s.lane.typ
	e.heard[typ] = s.response.Nonce
	list, gone := []*view.Resource{}, slices.Concat(s.plan.Removed, s.plan.Missing)
	for _, u := range s.plan.Upserts {
		list = append(list, u.Resource)
	}
	if !e.delta && typ.FullState() {
		list, gone = s.plan.all, nil
		for _, name := range e.namesOf(typ) {
			if !slices.ContainsFunc(list, func(r *view.Resource) bool { return r.Name() == name }) {
				gone = append(gone, name)
			}
		}
	}
	answer := request{typeURL: typ.URL(), nonce: s.response.Nonce}
	switch typ {
	case resource.Cluster:
		if !e.takeClusters(list, gone) {
			answer.refusal = &status.Status{Message: "no"}
		}
		e.withheld = &answer
		e.settle()
		return
	case resource.Endpoint:
		e.takeEndpoints(list, gone)
	case resource.Listener:
		e.takeListeners(list, gone)
	case resource.Route:
		if !e.takeTables(list) {
			answer.refusal = &status.Status{Message: "no"}
		}
	case resource.ScopedRoute:
		e.takeScopes(list, gone)
	case resource.Secret:
		e.takeSecrets(list, gone)
	}
	e.settle() // Envoy asks for what a response mentions before it answers
	e.answer(answer)
}

// namesOf are what Envoy has of a type of full state.
func (e *modelEnvoy) namesOf(typ resource.Type) []string {
	switch typ {
	case resource.Cluster:
		return slices.Concat(slices.Collect(maps.Keys(e.clusters)), slices.Collect(maps.Keys(e.warming)))
	case resource.Listener:
		return slices.Concat(slices.Collect(maps.Keys(e.listeners)), slices.Collect(maps.Keys(e.coming)))
	}
	return slices.Collect(maps.Keys(e.scopes))
}

// takeClusters reports whether all of them are good.
func (e *modelEnvoy) takeClusters(list []*view.Resource, gone []string) (good bool) {
	good = true
	for _, r := range list {
		var m clusterv3.Cluster
		e.decode(r, &m)
		old := e.warming[r.Name()]
		if old == nil {
			old = e.clusters[r.Name()]
		}
		switch {
		case m.ConnectTimeout.AsDuration() == badForm:
			good = false
		case old == nil || old.digest != r.Digest():
			e.warming[r.Name()] = &modelCluster{service: m.EdsClusterConfig.ServiceName, digest: r.Digest()}
		}
	}
	for _, name := range gone {
		delete(e.clusters, name)
		delete(e.warming, name)
	}
	return good
}

func (e *modelEnvoy) takeEndpoints(list []*view.Resource, gone []string) {
	take := func(service string, there bool) {
		for name, c := range e.warming {
			if c.service == service {
				e.clusters[name] = c
				delete(e.warming, name)
			}
		}
		for _, c := range e.clusters {
			if c.service == service {
				c.ready = there
			}
		}
	}
	for _, r := range list {
		take(r.Name(), true)
	}
	for _, name := range gone {
		take(name, false)
	}
}

func (e *modelEnvoy) takeListeners(list []*view.Resource, gone []string) {
	for _, r := range list {
		old := e.coming[r.Name()]
		if old == nil {
			old = e.listeners[r.Name()]
		}
		if old == nil || old.digest != r.Digest() {
			e.coming[r.Name()] = e.listener(r)
		}
	}
	for _, name := range gone {
		delete(e.coming, name)
		e.drain(name)
	}
}

// listener is what matters of one.
func (e *modelEnvoy) listener(r *view.Resource) *modelListener {
	var m listenerv3.Listener
	var hcm hcmv3.HttpConnectionManager
	e.decode(r, &m)
	chain := m.FilterChains[0]
	e.unpack(chain.Filters[0].GetTypedConfig(), &hcm)
	l := &modelListener{name: r.Name(), digest: r.Digest(), routes: hcm.GetRds().GetRouteConfigName()}
	if chain.TransportSocket != nil {
		var tls tlsv3.DownstreamTlsContext
		e.unpack(chain.TransportSocket.GetTypedConfig(), &tls)
		l.secret = tls.CommonTlsContext.TlsCertificateSdsSecretConfigs[0].Name
	}
	return l
}

func (e *modelEnvoy) drain(name string) {
	if l := e.listeners[name]; l != nil {
		l.until = e.now.Add(drainTime)
		e.draining = append(e.draining, l)
		delete(e.listeners, name)
	}
}

// takeTables reports whether all of them are good.
func (e *modelEnvoy) takeTables(list []*view.Resource) (good bool) {
	good = true
	for _, r := range list {
		t := e.tables[r.Name()]
		if t == nil {
			continue
		}
		var m routev3.RouteConfiguration
		e.decode(r, &m)
		if slices.ContainsFunc(m.VirtualHosts, func(h *routev3.VirtualHost) bool { return h.Domains[0] == badDomain }) {
			good = false
			continue
		}
		*t = modelTable{hosts: map[string]string{}, digest: r.Digest()}
		for _, host := range m.VirtualHosts {
			if _, twice := t.hosts[host.Domains[0]]; twice {
				e.t.Fatalf("%s has the domain %s twice", r.Name(), host.Domains[0])
			}
			t.hosts[host.Domains[0]] = host.Routes[0].GetRoute().GetCluster()
		}
	}
	return good
}

func (e *modelEnvoy) takeScopes(list []*view.Resource, gone []string) {
	e.scopesKnown = true
	for _, name := range gone {
		delete(e.scopes, name)
		e.prune()
	}
	for _, r := range list {
		var m routev3.ScopedRouteConfiguration
		if old := e.scopes[r.Name()]; old.digest == r.Digest() {
			continue
		}
		e.decode(r, &m)
		delete(e.scopes, r.Name())
		e.prune()
		e.scopes[r.Name()] = modelScope{m.RouteConfigurationName, r.Digest()}
		e.prune()
	}
}

func (e *modelEnvoy) takeSecrets(list []*view.Resource, gone []string) {
	for _, r := range list {
		if s := e.secrets[r.Name()]; s != nil {
			*s = modelSecret{true, true, r.Digest()}
		}
	}
	for _, name := range gone {
		if s := e.secrets[name]; s != nil {
			s.answered = true
		}
	}
}

// prune forgets tables and secrets that nothing uses, and expects those that
// something uses newly.
func (e *modelEnvoy) prune() {
	tables, secrets, scoped := map[string]bool{}, map[string]bool{}, false
	for l := range e.allListeners() {
		if l.routes != "" {
			tables[l.routes] = true
		}
		if l.secret != "" {
			secrets[l.secret] = true
		}
		scoped = scoped || l.routes == ""
	}
	for _, s := range e.scopes {
		tables[s.table] = true
	}
	for name := range e.tables {
		if !tables[name] {
			e.dropped[name] = true
			delete(e.tables, name)
		}
	}
	for name := range tables {
		if e.tables[name] == nil {
			e.tables[name] = &modelTable{}
		}
	}
	maps.DeleteFunc(e.secrets, func(name string, _ *modelSecret) bool { return !secrets[name] })
	for name := range secrets {
		if e.secrets[name] == nil {
			e.secrets[name] = &modelSecret{}
		}
	}
	if scoped && e.asked[resource.ScopedRoute] == nil {
		e.asked[resource.ScopedRoute] = map[string]bool{}
		e.out = append(e.out, request{typeURL: resource.ScopedRoute.URL()})
	}
}

// allListeners are those that serve, warm or drain.
func (e *modelEnvoy) allListeners() func(func(*modelListener) bool) {
	return func(yield func(*modelListener) bool) {
		all := slices.Concat(slices.Collect(maps.Values(e.listeners)), slices.Collect(maps.Values(e.coming)), e.draining)
		for _, l := range all {
			if !yield(l) {
				return
			}
		}
	}
}

// settle lets take effect whatever can, asks for what is missing and answers
// what was withheld.
func (e *modelEnvoy) settle() {
	e.draining = slices.DeleteFunc(e.draining, func(l *modelListener) bool { return !e.now.Before(l.until) })
	e.prune()
	for _, name := range slices.Sorted(maps.Keys(e.coming)) {
		if l := e.coming[name]; e.warm(l) {
			e.drain(name)
			delete(e.coming, name)
			e.listeners[name] = l
			e.scopesLive = e.scopesLive || l.routes == ""
		}
	}
	services := map[string]bool{}
	for _, list := range []map[string]*modelCluster{e.clusters, e.warming} {
		for _, c := range list {
			services[c.service] = true
		}
	}
	e.ask(resource.Endpoint, services, nil)
	e.ask(resource.Route, keysOf(e.tables), e.dropped)
	clear(e.dropped)
	e.ask(resource.Secret, keysOf(e.secrets), nil)
	if len(e.warming) == 0 && e.withheld != nil {
		e.answer(*e.withheld)
		e.withheld = nil
	}
}

func keysOf[V any](m map[string]V) map[string]bool {
	keys := map[string]bool{}
	for k := range m {
		keys[k] = true
	}
	return keys
}

// warm reports whether l can take over.
func (e *modelEnvoy) warm(l *modelListener) bool {
	if l.secret != "" && !e.secrets[l.secret].answered {
		return false
	}
	if l.routes != "" {
		return e.tables[l.routes].hosts != nil
	}
	if !e.scopesKnown {
		return false
	}
	for _, s := range e.scopes {
		if !e.scopesLive && e.tables[s.table].hosts == nil {
			return false
		}
	}
	return true
}

// ask subscribes to exactly the names, anew to those that were dropped.
func (e *modelEnvoy) ask(typ resource.Type, names, anew map[string]bool) {
	was := e.asked[typ]
	q := request{typeURL: typ.URL()}
	for name := range names {
		if !was[name] || anew[name] {
			q.subscribe = append(q.subscribe, name)
		}
	}
	for name := range was {
		if !names[name] {
			q.unsubscribe = append(q.unsubscribe, name)
		}
	}
	if e.asked[typ] = names; was == nil && len(names) == 0 {
		e.asked[typ] = nil
		return
	}
	slices.Sort(q.subscribe)
	slices.Sort(q.unsubscribe)
	switch {
	case e.delta && len(q.subscribe)+len(q.unsubscribe) > 0:
		e.out = append(e.out, q)
	case !e.delta && !maps.Equal(was, names):
		e.answer(request{typeURL: typ.URL(), nonce: e.heard[typ]})
	}
}

// answer sends q, in state of the world with all names.
func (e *modelEnvoy) answer(q request) {
	if !e.delta {
		q.names = slices.Sorted(maps.Keys(e.asked[resource.TypeOfURL(q.typeURL)]))
	}
	e.out = append(e.out, q)
}

func (e *modelEnvoy) decode(r *view.Resource, m proto.Message) {
	if err := proto.Unmarshal(slices.Concat(r.Body()...), m); err != nil {
		e.t.Fatal(r.Name(), ": ", err)
	}
}

func (e *modelEnvoy) unpack(a *anypb.Any, m proto.Message) {
	if err := a.UnmarshalTo(m); err != nil {
		e.t.Fatal(err)
	}
}
