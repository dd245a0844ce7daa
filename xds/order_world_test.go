package xds

import (
	"fmt"
	"maps"
	"slices"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
	"pgregory.net/rapid"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
)

// world is configuration that changes at random. At each version all of it is
// consistent: every host of every table leads to a cluster with endpoints, and
// these hosts and tenants always have an answer.
type world struct {
	t     *rapid.T
	mint  mint
	store store
	has   map[deltaplane.Key]*resource.Resource // what store has

	made     int                    // everything that has a number
	clusters map[string]*worldGroup // by name
	forms    map[string]int         // of endpoints, by the name of the service
	hosts    [2]string              // clusters of the hosts of the listener web
	tenants  map[string]*worldTenant
	spares   map[string]int // listeners without requests of their own
	outer    map[string]int // forms of the listeners web, scoped and secure
	table    string         // of web
	cluster  string         // of secure
	secret   string         // of secure
	secrets  int            // its form
	badTable bool           // Envoy refuses web's table
}

type worldGroup struct {
	service string
	form    int
	bad     bool // Envoy refuses it
}

type worldTenant struct{ table, cluster string }

// mint keeps resources that were made, as making one costs more than all else.
type mint map[string]*resource.Resource

// The tables that there are at all times; others come and go.
var worldTables = []string{"scoped-a", "scoped-b"}

// worldTenants are those that never go. One is in all tables, so that moving
// it changes its scope alone.
var worldTenants = []string{everywhere, "ben"}

const everywhere = "ana"

func newWorld(t *rapid.T, m mint) *world {
	w := &world{
		t: t, mint: m, has: map[deltaplane.Key]*resource.Resource{},
		clusters: map[string]*worldGroup{}, forms: map[string]int{}, tenants: map[string]*worldTenant{}, spares: map[string]int{},
		outer: map[string]int{"web": 0, "scoped": 0, "secure": 0}, table: "web-0", secret: "server-0",
	}
	for i := range w.hosts {
		w.hosts[i] = w.newCluster()
	}
	for i, name := range worldTenants {
		w.tenants[name] = &worldTenant{worldTables[i], w.newCluster()}
	}
	w.cluster = w.newCluster()
	w.write()
	return w
}

func (w *world) pick(n int, what string) int { return rapid.IntRange(0, n-1).Draw(w.t, what) }

func (w *world) name(kind string) string {
	w.made++
	return fmt.Sprintf("%s-%d", kind, w.made)
}

func (w *world) newCluster() string {
	name := w.name("cluster")
	w.clusters[name] = &worldGroup{service: "of-" + name}
	return name
}

// user is a place that names a cluster.
func (w *world) user() *string {
	users := []*string{&w.cluster, &w.hosts[0], &w.hosts[1]}
	for _, name := range slices.Sorted(maps.Keys(w.tenants)) {
		users = append(users, &w.tenants[name].cluster)
	}
	return users[w.pick(len(users), "user")]
}

// change is one kind of change, and says what it did.
var changes = []func(*world) string{
	(*world).swap, (*world).swap, (*world).modify, (*world).moveEndpoints, (*world).join,
	(*world).moveTenant, (*world).moveTenant, (*world).moveTenantToNewTable, (*world).renameTable,
	(*world).replaceListener, (*world).addSpare, (*world).addSpare, (*world).removeSpare, (*world).renameSecret, (*world).rotateSecret,
}

// step makes some changes, and says which.
func (w *world) step() (did []string) {
	for range 1 + w.pick(3, "changes") {
		did = append(did, changes[w.pick(len(changes), "change")](w))
	}
	w.write()
	return did
}

// swap has a new cluster take over from another, some with its endpoints.
func (w *world) swap() string {
	user := w.user()
	old := *user
	*user = w.newCluster()
	if w.pick(4, "shared") == 0 {
		w.clusters[*user].service = w.clusters[old].service
	}
	return "swap " + old + " for " + *user
}

func (w *world) modify() string {
	name := *w.user()
	w.clusters[name].form++
	return "change " + name
}

func (w *world) moveEndpoints() string {
	service := w.clusters[*w.user()].service
	w.forms[service]++
	return "change the endpoints " + service
}

func (w *world) join() string {
	user, other := w.user(), w.user()
	did := "move from " + *user + " to " + *other
	*user = *other
	return did
}

func (w *world) tenant() string {
	names := slices.Sorted(maps.Keys(w.tenants))
	return names[w.pick(len(names), "tenant")]
}

func (w *world) moveTenant() string {
	name := w.tenant()
	w.tenants[name].table = worldTables[w.pick(len(worldTables), "table")]
	return "move " + name + " to " + w.tenants[name].table
}

func (w *world) moveTenantToNewTable() string {
	name := w.tenant()
	w.tenants[name].table = w.name("scoped")
	return "move " + name + " to " + w.tenants[name].table
}

func (w *world) renameTable() string {
	w.table = w.name("web")
	return "rename web's table to " + w.table
}

func (w *world) replaceListener() string {
	name := []string{"web", "scoped", "secure"}[w.pick(3, "listener")]
	w.outer[name]++
	return "replace " + name
}

// addSpare adds a listener or a tenant.
func (w *world) addSpare() string {
	if w.pick(2, "kind") == 0 {
		name := w.name("spare")
		w.spares[name] = 0
		return "add " + name
	}
	name := w.name("tenant")
	w.tenants[name] = &worldTenant{worldTables[w.pick(len(worldTables), "table")], w.newCluster()}
	return "add " + name
}

func (w *world) removeSpare() string {
	spares := slices.Sorted(maps.Keys(w.spares))
	for _, name := range slices.Sorted(maps.Keys(w.tenants)) {
		if !slices.Contains(worldTenants, name) {
			spares = append(spares, name)
		}
	}
	if len(spares) == 0 {
		return "nothing"
	}
	name := spares[w.pick(len(spares), "spare")]
	delete(w.spares, name)
	delete(w.tenants, name)
	return "remove " + name
}

func (w *world) renameSecret() string {
	w.secret = w.name("server")
	return "rename the secret to " + w.secret
}

func (w *world) rotateSecret() string {
	w.secrets++
	return "rotate " + w.secret
}

// spoil makes a change that Envoy refuses; mend makes it good.
func (w *world) spoil() (mend func()) {
	if w.pick(2, "bad") == 0 {
		w.hosts[0], w.badTable = w.newCluster(), true
		w.write()
		return func() { w.badTable = false; w.write() }
	}
	user := w.user()
	*user = w.newCluster()
	w.clusters[*user].bad = true
	w.write()
	return func() { *user = w.newCluster(); w.write() }
}

// write brings the store up to date, and drops what nothing uses.
func (w *world) write() {
	want := map[deltaplane.Key]*resource.Resource{}
	put := func(signature string, message func() proto.Message) {
		r := w.mint[signature]
		if r == nil {
			var err error
			if r, err = resource.New(message()); err != nil {
				w.t.Fatal(err)
			}
			w.mint[signature] = r
		}
		want[deltaplane.Key{Namespace: deltaplane.DefaultNamespace, Type: r.Type(), Name: r.Name()}] = r
	}
	used := map[string]bool{}
	host := func(table, name, domain, cluster string) {
		used[cluster] = true
		put(fmt.Sprint("host ", table, name, domain, cluster), func() proto.Message { return worldHost(table, name, domain, cluster) })
	}
	tables := map[string]bool{w.table: true, "secure": true}
	for _, name := range worldTables {
		tables[name] = true
	}
	for i, cluster := range w.hosts {
		host(w.table, fmt.Sprint("host-", i), worldDomain(i), cluster)
	}
	if w.badTable {
		host(w.table, "bad", badDomain, w.hosts[1])
	}
	host("secure", "all", "*", w.cluster)
	for name, tenant := range w.tenants {
		tables[tenant.table] = true
		host(tenant.table, name, name+".test", tenant.cluster)
		for _, table := range worldTables {
			if name == everywhere {
				host(table, name, name+".test", tenant.cluster)
			}
		}
		put(fmt.Sprint("scope ", name, tenant.table), func() proto.Message { return scope(name, tenant.table) })
	}
	for name := range tables {
		put("table "+name, func() proto.Message { return &routev3.RouteConfiguration{Name: name} })
	}
	for name := range w.clusters {
		if !used[name] {
			delete(w.clusters, name)
			continue
		}
		c := *w.clusters[name]
		put(fmt.Sprint("cluster ", name, c), func() proto.Message { return worldCluster(name, c) })
		put(fmt.Sprint("endpoints ", c.service, w.forms[c.service]), func() proto.Message { return endpoints(c.service, w.forms[c.service]) })
	}
	put(fmt.Sprint("secret ", w.secret, w.secrets), func() proto.Message { return worldSecret(w.secret, w.secrets) })
	listener := func(name, table, secret string, outer int) {
		put(fmt.Sprint("listener ", name, table, secret, outer), func() proto.Message { return w.listener(name, table, secret, outer) })
	}
	listener("web", w.table, "", w.outer["web"])
	listener("scoped", "", "", w.outer["scoped"])
	listener("secure", "secure", w.secret, w.outer["secure"])
	for name := range w.spares {
		listener(name, w.table, "", 0)
	}
	w.replace(want)
}

// replace makes want all that the store has.
func (w *world) replace(want map[deltaplane.Key]*resource.Resource) {
	for k := range w.has {
		if want[k] == nil {
			w.store.drop(k.Type, k.Name)
		}
	}
	for k, r := range want {
		if w.has[k] != r {
			w.store.tree = w.store.tree.Put(k.Path(), &deltaplane.Entry{Resource: r})
		}
	}
	w.has = want
}

func worldDomain(host int) string { return fmt.Sprintf("host-%d.test", host) }

// badDomain is in tables that Envoy refuses.
const badDomain = "bad.test"

// badForm is the connect timeout of clusters that Envoy refuses.
const badForm = 666 * time.Second

func worldCluster(name string, c worldGroup) proto.Message {
	m := cluster(name, c.form).(*clusterv3.Cluster)
	m.EdsClusterConfig.ServiceName = c.service
	if c.bad {
		m.ConnectTimeout = durationpb.New(badForm)
	}
	return m
}

func worldHost(table, name, domain, cluster string) proto.Message {
	return &routev3.VirtualHost{Name: table + "/" + name, Domains: []string{domain}, Routes: []*routev3.Route{{
		Match:  &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Prefix{Prefix: "/"}},
		Action: &routev3.Route_Route{Route: &routev3.RouteAction{ClusterSpecifier: &routev3.RouteAction_Cluster{Cluster: cluster}}},
	}}}
}

func worldSecret(name string, form int) proto.Message {
	return &tlsv3.Secret{Name: name, Type: &tlsv3.Secret_GenericSecret{GenericSecret: &tlsv3.GenericSecret{
		Secret: &corev3.DataSource{Specifier: &corev3.DataSource_InlineString{InlineString: fmt.Sprint(form)}}}}}
}

func worldSource() *corev3.ConfigSource {
	return &corev3.ConfigSource{ResourceApiVersion: corev3.ApiVersion_V3, ConfigSourceSpecifier: &corev3.ConfigSource_Ads{Ads: &corev3.AggregatedConfigSource{}}}
}

// listener has scopes if table is "".
func (w *world) listener(name, table, secret string, outer int) proto.Message {
	hcm := &hcmv3.HttpConnectionManager{StatPrefix: name, RouteSpecifier: &hcmv3.HttpConnectionManager_Rds{
		Rds: &hcmv3.Rds{RouteConfigName: table, ConfigSource: worldSource()}}}
	if table == "" {
		hcm.RouteSpecifier = &hcmv3.HttpConnectionManager_ScopedRoutes{ScopedRoutes: &hcmv3.ScopedRoutes{
			Name: "scopes", RdsConfigSource: worldSource(),
			ScopeKeyBuilder: &hcmv3.ScopedRoutes_ScopeKeyBuilder{Fragments: []*hcmv3.ScopedRoutes_ScopeKeyBuilder_FragmentBuilder{{
				Type: &hcmv3.ScopedRoutes_ScopeKeyBuilder_FragmentBuilder_HeaderValueExtractor_{
					HeaderValueExtractor: &hcmv3.ScopedRoutes_ScopeKeyBuilder_FragmentBuilder_HeaderValueExtractor{Name: "tenant",
						ExtractType: &hcmv3.ScopedRoutes_ScopeKeyBuilder_FragmentBuilder_HeaderValueExtractor_Index{}}}}}},
			ConfigSpecifier: &hcmv3.ScopedRoutes_ScopedRds{ScopedRds: &hcmv3.ScopedRds{ScopedRdsConfigSource: worldSource()}},
		}}
	}
	chain := &listenerv3.FilterChain{Filters: []*listenerv3.Filter{{Name: "hcm", ConfigType: &listenerv3.Filter_TypedConfig{TypedConfig: w.packed(hcm)}}}}
	if secret != "" {
		chain.TransportSocket = &corev3.TransportSocket{Name: "tls", ConfigType: &corev3.TransportSocket_TypedConfig{TypedConfig: w.packed(
			&tlsv3.DownstreamTlsContext{CommonTlsContext: &tlsv3.CommonTlsContext{
				TlsCertificateSdsSecretConfigs: []*tlsv3.SdsSecretConfig{{Name: secret, SdsConfig: worldSource()}}}})}}
	}
	return &listenerv3.Listener{Name: name, PerConnectionBufferLimitBytes: wrapperspb.UInt32(uint32(1<<20 + outer)), FilterChains: []*listenerv3.FilterChain{chain},
		Address: &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
			Address: "127.0.0.1", PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: 1}}}}}
}

func (w *world) packed(m proto.Message) *anypb.Any {
	a, err := anypb.New(m)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}
