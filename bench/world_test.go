package bench

import (
	"strconv"
	"strings"
	"testing"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane/bench/probe"
	"github.com/deltaplane/deltaplane/bench/traffic"
	"github.com/deltaplane/deltaplane/resource"
)

// world is what a control plane would hold after calls, and where its Envoys
// would send requests: the model that plans are checked against.
type world struct {
	t      failer
	owners map[resource.Type]map[string]string
	held   map[resource.Type]map[string]*resource.Resource
}

// failer is a *testing.T, or rapid's.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

func newWorld(t failer) *world {
	return &world{t, map[resource.Type]map[string]string{}, map[resource.Type]map[string]*resource.Resource{}}
}

func (w *world) call(c call) {
	w.t.Helper()
	if c.path == "/v1/patch" {
		w.patch(c)
		return
	}
	docs, problems := resource.Decoder{MaxResourceBytes: 1 << 30}.Decode("call.yaml", c.body)
	if len(problems) > 0 {
		w.t.Fatalf("%v in\n%s", problems, c.body)
	}
	by := c.query.Get("owner")
	if c.query.Get("prune") == "true" {
		for typ, names := range w.owners {
			for name, owner := range names {
				if owner == by {
					delete(names, name)
					delete(w.held[typ], name)
				}
			}
		}
	}
	for _, d := range docs {
		w.put(by, d.Resource)
		if d.Resource.Type() == resource.Route {
			_, hosts, err := d.Resource.SplitHosts()
			if err != nil {
				w.t.Fatalf("%s: %v", d.Resource.Name(), err)
			}
			for _, h := range hosts {
				w.put(by, h)
			}
		}
	}
}

func (w *world) put(owner string, r *resource.Resource) {
	if w.held[r.Type()] == nil {
		w.held[r.Type()], w.owners[r.Type()] = map[string]*resource.Resource{}, map[string]string{}
	}
	w.held[r.Type()][r.Name()], w.owners[r.Type()][r.Name()] = r, owner
}

func (w *world) patch(c call) {
	w.t.Helper()
	old := w.held[resource.VirtualHost][c.query.Get("name")]
	if old == nil {
		w.t.Fatalf("a patch of %s, which is not there", c.query.Get("name"))
	}
	now, problems := resource.ApplyPatch(old, c.body)
	if len(problems) > 0 {
		w.t.Fatalf("%v in %s", problems, c.body)
	}
	w.put(c.query.Get("owner"), now)
}

// message is a resource's content; nil if it is not there.
func (w *world) message(typ resource.Type, name string) proto.Message {
	w.t.Helper()
	r := w.held[typ][name]
	if r == nil {
		return nil
	}
	m, err := r.Message()
	if err != nil {
		w.t.Fatalf("%s: %v", name, err)
	}
	return m
}

// place is where the world sends a request that route i takes, and what the
// backend hears of the route's version.
func (w *world) place(t table, i int) place {
	w.t.Helper()
	host, _ := w.message(resource.VirtualHost, t.hostResource(t.hostOf(i))).(*routev3.VirtualHost)
	target := t.target(i)
	if host == nil || host.Domains[0] != target.Host {
		w.t.Fatalf("route %d: no host for %s", i, target.Host)
	}
	for _, r := range host.Routes {
		if strings.HasPrefix(target.Path, r.GetMatch().GetPrefix()) {
			shell, _ := w.message(resource.Route, t.configuration(t.hostOf(i))).(*routev3.RouteConfiguration)
			return place{w.endpoint(t, chosen(r.GetRoute())), w.version(r.RequestHeadersToAdd, shell.GetRequestHeadersToAdd())}
		}
	}
	w.t.Fatalf("route %d is not in its host", i)
	return place{}
}

// version is what Envoy makes of the header that routes say it with: the lists
// count from the inner to the outer one.
func (w *world) version(lists ...[]*corev3.HeaderValueOption) (version uint64) {
	w.t.Helper()
	for _, list := range lists {
		for _, h := range list {
			if h.GetHeader().GetKey() != traffic.Version || h.AppendAction == corev3.HeaderValueOption_ADD_IF_ABSENT && version > 0 {
				continue
			}
			var err error
			if version, err = strconv.ParseUint(h.GetHeader().GetValue(), 10, 64); err != nil {
				w.t.Fatalf("a route says: %v", err)
			}
		}
	}
	return version
}

// chosen is the cluster that gets a route's requests.
func chosen(a *routev3.RouteAction) string {
	for _, weighted := range a.GetWeightedClusters().GetClusters() {
		if weighted.Weight.GetValue() > 0 {
			return weighted.Name
		}
	}
	return a.GetCluster()
}

// endpoint is the backend of a cluster.
func (w *world) endpoint(t table, cluster string) string {
	w.t.Helper()
	if c, _ := w.message(resource.Cluster, cluster).(*clusterv3.Cluster); c == nil {
		w.t.Fatalf("cluster %q is not there", cluster)
	}
	a, _ := w.message(resource.Endpoint, cluster).(*endpointv3.ClusterLoadAssignment)
	port := a.GetEndpoints()[0].GetLbEndpoints()[0].GetEndpoint().GetAddress().GetSocketAddress().GetPortValue()
	for _, b := range t.backends {
		if b.Port() == int(port) {
			return b.Name()
		}
	}
	w.t.Fatalf("cluster %q has port %d, which is no backend's", cluster, port)
	return ""
}

// server is what the world's listener answers name as their server.
func (w *world) server() string {
	w.t.Helper()
	listener, _ := w.message(resource.Listener, tableName).(*listenerv3.Listener)
	var manager httpv3.HttpConnectionManager
	if err := listener.GetFilterChains()[0].GetFilters()[0].GetTypedConfig().UnmarshalTo(&manager); err != nil {
		w.t.Fatalf("%v", err)
	}
	return manager.ServerName
}

// backends are three that nobody asks.
func backends(t *testing.T) []backend {
	t.Helper()
	var all []backend
	for _, name := range []string{"red", "green", "blue"} {
		b, err := probe.NewBackend(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		})
		all = append(all, b)
	}
	return all
}
