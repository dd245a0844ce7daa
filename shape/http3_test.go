package shape_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"github.com/deltaplane/deltaplane/internal/envoytest"
	"github.com/deltaplane/deltaplane/shape"
)

// A second Envoy speaks HTTP/3 to the first: what it is asked in HTTP/1 or 2, it
// passes on as it is.
func TestAQUICListenerRoutesByLeavesLikeByTheWholeTable(t *testing.T) {
	message, err := read(t, tableText).Message()
	if err != nil {
		t.Fatal(err)
	}
	split := &shape.Split{Leaves: []shape.Leaf{
		{ID: 0}, {ID: 1, Path: "/a"}, {ID: 2, Host: "alpha.test"}, {ID: 3, Host: "alpha.test", Path: "/a/b"}, {ID: 4, Host: "alpha.test:"},
		{ID: 5, Host: "metric.test"}, {ID: 6, Host: "metric.test", Path: "/m"}, {ID: 7, Host: "wild"},
	}}
	certificate, key := envoytest.Certificate(t, "localhost")
	static, with := startBackend(t), served{message.(*routev3.RouteConfiguration), split}
	static.Listeners = with.pair(t, "quic", fmt.Sprintf(quicText, quoted(t, certificate), quoted(t, key)))
	e := startStatic(t, static)
	before := front(t, map[string]string{"plain": portOf(e.WaitListener("plain-quic")), "split": portOf(e.WaitListener("split-quic"))})
	plain, divided := newClient(t, before.WaitListener("plain")), newClient(t, before.WaitListener("split"))
	reached, routed := map[string]bool{}, 0
	for _, host := range []string{"alpha.test", "ALPHA.test", "alpha.test:8080", "alpha.test:80", "metric.test", "Metric.TEST.", "[::1]", "unknown", "a.wild.test", "www.x"} {
		for _, path := range []string{"/", "/a", "/A", "/a/b", "/a/b?q=/z", "/a/b/c", "/m?x", "/x/y", "/r", "/~", "/ws"} {
			request := "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nx-deltaplane-shape: " + shape.Key("table", 7) + "\r\n\r\n"
			want, got := plain.send(request), divided.send(request)
			if got.text != want.text || len(got.seen) > 0 {
				t.Errorf("request %q:\nplain: %q\nsplit: %q (leaf %s, the backend saw %q)", request, want.text, got.text, got.leaf, got.seen)
			}
			if reached[got.leaf] = true; got.status < 400 {
				routed++
			}
		}
	}
	if len(reached) < len(split.Leaves) || routed < 50 {
		t.Errorf("only the leaves %v have answered, and %d requests have found a route", reached, routed)
	}
	if n := before.Stat("cluster.split.upstream_cx_http3_total"); n == 0 {
		t.Error("the requests went over something else than HTTP/3")
	}
}

// quoted is text as YAML and JSON have it.
func quoted(t *testing.T, text string) string {
	t.Helper()
	b, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func portOf(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }

const quicText = `
"@type": type.googleapis.com/envoy.config.listener.v3.Listener
name: quic
address: {socket_address: {protocol: UDP, address: 127.0.0.1, port_value: 0}}
udp_listener_config: {quic_options: {}}
filter_chains:
- transport_socket:
    name: envoy.transport_sockets.quic
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.transport_sockets.quic.v3.QuicDownstreamTransport
      downstream_tls_context:
        common_tls_context: {tls_certificates: [{certificate_chain: {inline_string: %s}, private_key: {inline_string: %s}}]}
  filters:
  - name: hcm
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
      stat_prefix: web
      codec_type: HTTP3
      rds: {route_config_name: table, config_source: {ads: {}, resource_api_version: V3}}
      http_filters: [{name: router, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}]
`

// front is an Envoy with a listener of HTTP/1 and 2 for each of some ports of
// HTTP/3, by their names.
func front(t *testing.T, ports map[string]string) *envoytest.Envoy {
	t.Helper()
	clusters, listeners := "", ""
	for name, port := range ports {
		clusters += fmt.Sprintf(frontCluster, name, name, port)
		listeners += fmt.Sprintf(frontListener, name, name)
	}
	e := envoytest.StartYAML(t, "admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}\nstatic_resources:\n  clusters:"+clusters+"  listeners:"+listeners)
	e.WaitReady()
	return e
}

const frontCluster = `
  - name: %s
    connect_timeout: 5s
    load_assignment: {cluster_name: %s, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {protocol: UDP, address: 127.0.0.1, port_value: %s}}}}]}]}
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {http3_protocol_options: {}}
    transport_socket:
      name: envoy.transport_sockets.quic
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.transport_sockets.quic.v3.QuicUpstreamTransport
        upstream_tls_context: {sni: localhost}
`

const frontListener = `
  - name: %s
    address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    filter_chains:
    - filters:
      - name: hcm
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: front
          route_config: {virtual_hosts: [{name: all, domains: ["*"], routes: [{match: {prefix: /}, route: {cluster: %s}}]}]}
          http_filters: [{name: router, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}]
`
