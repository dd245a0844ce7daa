package shape_test

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"

	"github.com/deltaplane/deltaplane/internal/envoytest"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
)

// served is what the two listeners of each mode route by.
type served struct {
	config *routev3.RouteConfiguration
	split  *shape.Split
}

// startPairs runs an Envoy with two listeners for each mode: plain-<mode>
// routes by the table as written, split-<mode> by its leaves. A mode is fields
// of the HTTP connection manager in YAML.
func startPairs(t *testing.T, with served, modes map[string]string) *envoytest.Envoy {
	t.Helper()
	static := startBackend(t)
	for mode, fields := range modes {
		static.Listeners = append(static.Listeners, with.pair(t, mode, fmt.Sprintf(listenerText, mode, fields))...)
	}
	return startStatic(t, static)
}

// startBackend runs a backend, and returns the cluster that leads there.
func startBackend(t *testing.T) *bootstrapv3.Bootstrap_StaticResources {
	t.Helper()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()[seenHeader] = r.Header.Values(shape.Header)
		fmt.Fprintf(w, "%s %s %s", r.Method, r.Host, r.RequestURI)
	}))
	t.Cleanup(backend.Close)
	_, port, _ := strings.Cut(backend.Listener.Addr().String(), ":")
	static := new(bootstrapv3.Bootstrap_StaticResources)
	if err := protojson.Unmarshal(fmt.Appendf(nil, backendText, port), static); err != nil {
		t.Fatal(err)
	}
	return static
}

// pair is the two listeners of a mode, as they follow from the one that a user
// writes.
func (w served) pair(t *testing.T, mode, text string) []*listenerv3.Listener {
	t.Helper()
	plain := read(t, text)
	split, uses := shape.Listener(plain, func(string) *shape.Split { return w.split })
	if len(uses) != 1 || uses[0].Left != "" {
		t.Fatalf("mode %s is left as written: %+v", mode, uses)
	}
	return []*listenerv3.Listener{
		inlined(t, "plain-"+mode, plain, func(m *hcmv3.HttpConnectionManager) {
			m.RouteSpecifier = &hcmv3.HttpConnectionManager_RouteConfig{RouteConfig: w.config}
		}),
		inlined(t, "split-"+mode, split, func(m *hcmv3.HttpConnectionManager) {
			m.GetScopedRoutes().ConfigSpecifier = &hcmv3.ScopedRoutes_ScopedRouteConfigurationsList{ScopedRouteConfigurationsList: w.scopes()}
		}),
	}
}

// startStatic runs an Envoy with static resources.
func startStatic(t *testing.T, static *bootstrapv3.Bootstrap_StaticResources) *envoytest.Envoy {
	t.Helper()
	text, err := protojson.Marshal(&bootstrapv3.Bootstrap{StaticResources: static})
	if err != nil {
		t.Fatal(err)
	}
	e := envoytest.StartYAML(t, "admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}\nstatic_resources: "+
		strings.TrimSuffix(strings.TrimPrefix(string(text), `{"staticResources":`), "}"))
	e.WaitReady()
	return e
}

const listenerText = `
"@type": type.googleapis.com/envoy.config.listener.v3.Listener
name: %s
address: {socket_address: {address: 127.0.0.1, port_value: 0}}
filter_chains:
- filters:
  - name: hcm
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
      stat_prefix: web
      rds: {route_config_name: table, config_source: {ads: {}, resource_api_version: V3}}
      upgrade_configs: [{upgrade_type: websocket}, {upgrade_type: CONNECT}, {upgrade_type: connect-udp}]
      http2_protocol_options: {allow_connect: true}
      http_filters: [{name: router, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}]
      %s
`

const backendText = `{"clusters": [{"name": "back", "connectTimeout": "1s", "loadAssignment": {"clusterName": "back", "endpoints": [
	{"lbEndpoints": [{"endpoint": {"address": {"socketAddress": {"address": "127.0.0.1", "portValue": %s}}}}]}]}}]}`

// read reads the only resource of a YAML text.
func read(t *testing.T, text string) *resource.Resource {
	t.Helper()
	docs, problems := resource.Decoder{}.Decode("test.yaml", []byte(text))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return docs[0].Resource
}

// inlined is l under another name, its HTTP connection manager changed.
func inlined(t *testing.T, name string, r *resource.Resource, change func(*hcmv3.HttpConnectionManager)) *listenerv3.Listener {
	t.Helper()
	message, err := r.Message()
	if err != nil {
		t.Fatal(err)
	}
	l := message.(*listenerv3.Listener)
	l.Name = name
	config, m := l.FilterChains[0].Filters[0].GetTypedConfig(), new(hcmv3.HttpConnectionManager)
	if err := config.UnmarshalTo(m); err != nil {
		t.Fatal(err)
	}
	change(m)
	if err := config.MarshalFrom(m); err != nil {
		t.Fatal(err)
	}
	return l
}

// scopes are the leaves of the table, each with all the routes of the hosts
// that can match there. Responses of a leaf say its key.
func (w served) scopes() *hcmv3.ScopedRouteConfigurationsList {
	list := new(hcmv3.ScopedRouteConfigurationsList)
	w.split.Areas(func(id uint32, a shape.Area) {
		leaf := proto.Clone(w.config).(*routev3.RouteConfiguration)
		leaf.Name = shape.Name(w.config.Name, id)
		leaf.RequestHeadersToRemove = append(leaf.RequestHeadersToRemove, shape.Header)
		leaf.ResponseHeadersToAdd = append(leaf.ResponseHeadersToAdd, &corev3.HeaderValueOption{
			Header: &corev3.HeaderValue{Key: leafHeader, Value: shape.Key(w.config.Name, id)}})
		leaf.VirtualHosts = slices.DeleteFunc(leaf.VirtualHosts, func(h *routev3.VirtualHost) bool {
			h.Domains = slices.DeleteFunc(h.Domains, func(domain string) bool {
				domain = strings.ToLower(domain)
				return !strings.Contains(domain, "*") && (domain < a.HostFrom || a.HostTo != "" && domain >= a.HostTo)
			})
			return len(h.Domains) == 0
		})
		list.ScopedRouteConfigurations = append(list.ScopedRouteConfigurations, &routev3.ScopedRouteConfiguration{
			Name: leaf.Name, RouteConfiguration: leaf,
			Key: &routev3.ScopedRouteConfiguration_Key{Fragments: []*routev3.ScopedRouteConfiguration_Key_Fragment{
				{Type: &routev3.ScopedRouteConfiguration_Key_Fragment_StringKey{StringKey: shape.Key(w.config.Name, id)}}}},
		})
	})
	return list
}

// Response headers that say the leaf which answered, and what the backend saw
// of the header that leads to it.
const (
	leafHeader = "X-Leaf"
	seenHeader = "X-Seen"
)

// answer is what came back for one request.
type answer struct {
	text   string // all but what differs each time
	status int
	leaf   string
	seen   []string
}

// client sends HTTP/1 requests as they are.
type client struct {
	t       *testing.T
	address string
	conn    net.Conn
	reader  *bufio.Reader
}

func newClient(t *testing.T, address string) *client {
	c := &client{t: t, address: address}
	t.Cleanup(c.close)
	return c
}

func (c *client) close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

// send returns the answer to one request.
func (c *client) send(request string) answer {
	c.t.Helper()
	if c.conn == nil {
		conn, err := net.Dial("tcp", c.address)
		if err != nil {
			c.t.Fatal(err)
		}
		c.conn, c.reader = conn, bufio.NewReader(conn)
	}
	_ = c.conn.SetDeadline(time.Now().Add(envoytest.Patience))
	if _, err := c.conn.Write([]byte(request)); err != nil {
		c.t.Fatal(err)
	}
	method, _, _ := strings.Cut(request, " ")
	resp, err := http.ReadResponse(c.reader, &http.Request{Method: method})
	if err != nil {
		c.t.Fatalf("request %q: %v", request, err)
	}
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode, leaf: resp.Header.Get(leafHeader), seen: resp.Header[seenHeader]}
	var b bytes.Buffer
	for _, h := range []string{leafHeader, seenHeader, "Date", "X-Envoy-Upstream-Service-Time"} {
		resp.Header.Del(h)
	}
	_ = resp.Header.Write(&b)
	upgraded := resp.StatusCode == http.StatusSwitchingProtocols || method == http.MethodConnect
	if !upgraded {
		_, _ = b.ReadFrom(resp.Body)
	}
	if resp.Close || upgraded {
		c.close()
	}
	a.text = fmt.Sprintf("%s %v\n%s", resp.Status, resp.Close, b.String())
	return a
}
