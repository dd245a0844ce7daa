package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane/internal/envoy"
	"github.com/deltaplane/deltaplane/internal/envoytest"
	"github.com/deltaplane/deltaplane/internal/traffic"
)

// Each test applies a resource of one type, sees Envoy act on it, changes it,
// and sees that too: in all four ways of asking. It ends with Envoy having
// refused nothing.
func inEveryMode(t *testing.T, test func(t *testing.T, mode envoy.Mode, plane *envoytest.Plane, e *envoytest.Envoy)) {
	for _, mode := range envoy.Modes() {
		t.Run(mode.String(), func(t *testing.T) {
			plane, e := start(t, mode)
			test(t, mode, plane, e)
			nothingRefused(t, plane, e)
		})
	}
}

func nothingRefused(t *testing.T, plane *envoytest.Plane, e *envoytest.Envoy) {
	t.Helper()
	for name, n := range e.StatsMatching(`(update_rejected|update_failure|config_fail)$`) {
		if n != 0 && strings.HasSuffix(name, "update_rejected") {
			t.Errorf("%s is %d", name, n)
		}
	}
	proxy, err := plane.Status(envoytest.Context(t), node)
	if err != nil {
		t.Fatal(err)
	}
	if proxy.Refusals != 0 {
		t.Errorf("%d responses were refused: %+v", proxy.Refusals, proxy)
	}
	plane.WaitInSync(node, 1)
}

// answer waits until a listener answers a request with the name of a backend.
func answer(t *testing.T, e *envoytest.Envoy, listener string, r traffic.Request, want string) {
	t.Helper()
	client := envoytest.Client(t, e.WaitListener(listener), nil)
	if _, err := client.Until(envoytest.Context(t), r, want); err != nil {
		t.Fatal(err)
	}
}

var root = traffic.Request{Host: "example.test", Path: "/"}

func TestEnvoyFollowsClustersEndpointsListenersAndRoutes(t *testing.T) {
	inEveryMode(t, func(t *testing.T, mode envoy.Mode, plane *envoytest.Plane, e *envoytest.Envoy) {
		blue, green := envoytest.Backend(t, "blue"), envoytest.Backend(t, "green")
		plane.Apply(documents(mode, listener("web", rds("table"), ""), table("table", to("one")),
			cluster("one"), endpoints("one", blue.Port())))
		answer(t, e, "web", root, "blue")

		plane.Apply(documents(mode, endpoints("one", green.Port())))
		answer(t, e, "web", root, "green")

		plane.Apply(documents(mode, cluster("two"), endpoints("two", blue.Port()), table("table", to("two"))))
		answer(t, e, "web", root, "blue")

		plane.Apply(documents(mode, listener("web", rds("other"), ""), table("other", to("one"))))
		answer(t, e, "web", root, "green")
	})
}

func TestEnvoyFollowsSecrets(t *testing.T) {
	const secure = `"@type": type.googleapis.com/envoy.config.listener.v3.Listener
name: secure
address: {socket_address: {address: 127.0.0.1, port_value: 0}}
filter_chains:
- transport_socket:
    name: tls
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
      common_tls_context: {tls_certificate_sds_secret_configs: [{name: server, sds_config: SOURCE}]}
  filters:
  - name: hcm
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
      stat_prefix: secure
      route_config: {virtual_hosts: [{name: all, domains: ["*"], routes: [{match: {prefix: /}, direct_response: {status: 200, body: {inline_string: secure}}}]}]}
      http_filters:` + router
	inEveryMode(t, func(t *testing.T, mode envoy.Mode, plane *envoytest.Plane, e *envoytest.Envoy) {
		for range 2 { // the first certificate, and another in its place
			certificate, key := envoytest.Certificate(t, "example.test")
			plane.Apply(documents(mode, secure, secret("server", [2]string{certificate, key})))
			pool := x509.NewCertPool()
			pool.AppendCertsFromPEM([]byte(certificate))
			// A new connection for each try, which trusts this one alone.
			config := &tls.Config{RootCAs: pool, ServerName: "example.test"}
			client := envoytest.Client(t, e.WaitListener("secure"), config)
			if _, err := client.Until(envoytest.Context(t), root, "secure"); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestEnvoyFollowsScopedRoutes(t *testing.T) {
	of := func(tenant string) traffic.Request {
		return traffic.Request{Host: "example.test", Path: "/", Header: map[string][]string{"Tenant": {tenant}}}
	}
	inEveryMode(t, func(t *testing.T, mode envoy.Mode, plane *envoytest.Plane, e *envoytest.Envoy) {
		blue, green := envoytest.Backend(t, "blue"), envoytest.Backend(t, "green")
		plane.Apply(documents(mode, listener("web", scopedRoutes, ""),
			cluster("blue"), endpoints("blue", blue.Port()), cluster("green"), endpoints("green", green.Port()),
			table("to-blue", to("blue")), table("to-green", to("green")), scope("ana", "to-blue")))
		answer(t, e, "web", of("ana"), "blue")
		plane.Apply(documents(mode, scope("ana", "to-green"), scope("bob", "to-blue")))
		answer(t, e, "web", of("ana"), "green")
		answer(t, e, "web", of("bob"), "blue")
	})
}

func TestEnvoyFollowsExtensionConfigs(t *testing.T) {
	const discovered = `
      - name: stamp
        config_discovery:
          config_source: SOURCE
          type_urls: [type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault]`
	// A fault makes itself known without a backend.
	abort := func(status int) string {
		return fmt.Sprintf(`"@type": type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig
name: stamp
typed_config:
  "@type": type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault
  abort: {http_status: %d, percentage: {numerator: 100}}
`, status)
	}
	inEveryMode(t, func(t *testing.T, mode envoy.Mode, plane *envoytest.Plane, e *envoytest.Envoy) {
		plane.Apply(documents(mode, listener("web", rds("table"), discovered), table("table", to("none")), abort(418)))
		client := envoytest.Client(t, e.WaitListener("web"), nil)
		for _, status := range []int{418, 451} {
			plane.Apply(abort(status))
			if _, err := client.UntilFunc(envoytest.Context(t), root, func(a traffic.Answer) bool { return a.Status == status }); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestEnvoyFollowsVirtualHostsOnDemand(t *testing.T) {
	const onDemand = `
      - name: on-demand
        typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.on_demand.v3.OnDemand}`
	const shell = `"@type": type.googleapis.com/envoy.config.route.v3.RouteConfiguration
name: table
vhds: {config_source: SOURCE}
`
	host := func(name, domain, cluster string) string {
		return fmt.Sprintf(`"@type": type.googleapis.com/envoy.config.route.v3.VirtualHost
name: table/%s
domains: [%s]
routes: [%s]
`, name, domain, to(cluster))
	}
	// Envoy asks for virtual hosts incrementally only, whatever else it does.
	for _, mode := range []envoy.Mode{envoy.DeltaADS, envoy.DeltaSeparate} {
		t.Run(mode.String(), func(t *testing.T) {
			plane, e := start(t, mode)
			blue, green := envoytest.Backend(t, "blue"), envoytest.Backend(t, "green")
			plane.Apply(documents(mode, listener("web", rds("table"), onDemand), shell,
				cluster("blue"), endpoints("blue", blue.Port()), cluster("green"), endpoints("green", green.Port()),
				host("a.example.test", "a.example.test", "blue"), host("b", "b.example.test", "blue")))
			// By the host's name, and by a domain that its name does not tell.
			for _, domain := range []string{"a.example.test", "b.example.test"} {
				answer(t, e, "web", traffic.Request{Host: domain, Path: "/"}, "blue")
			}
			plane.Apply(documents(mode, host("a.example.test", "a.example.test", "green"), host("b", "b.example.test", "green")))
			for _, domain := range []string{"a.example.test", "b.example.test"} {
				answer(t, e, "web", traffic.Request{Host: domain, Path: "/"}, "green")
			}
			// After a crash Envoy says what it holds, and follows on.
			plane.WaitInSync(node, 2)
			plane.Kill()
			plane.Start()
			plane.WaitInSync(node, 2)
			plane.Apply(documents(mode, host("a.example.test", "a.example.test", "blue"), host("b", "b.example.test", "blue"),
				host("c.example.test", "c.example.test", "green")))
			for domain, want := range map[string]string{"a.example.test": "blue", "b.example.test": "blue", "c.example.test": "green"} {
				answer(t, e, "web", traffic.Request{Host: domain, Path: "/"}, want)
			}
			nothingRefused(t, plane, e)
		})
	}
}

func TestEnvoyFollowsTheRuntime(t *testing.T) {
	runtime := func(share int) string {
		return fmt.Sprintf("\"@type\": type.googleapis.com/envoy.service.runtime.v3.Runtime\nname: layer\nlayer: {share: %d}\n", share)
	}
	const byShare = "{match: {prefix: /, runtime_fraction: {default_value: {numerator: 50}, runtime_key: share}}, direct_response: {status: 200, body: {inline_string: new}}}"
	const otherwise = "{match: {prefix: /}, direct_response: {status: 200, body: {inline_string: old}}}"
	for _, mode := range envoy.Modes() {
		t.Run(mode.String(), func(t *testing.T) {
			plane := envoytest.StartPlane(t)
			plane.Apply(documents(mode, listener("web", rds("table"), ""), table("table", byShare, otherwise), runtime(0)))
			e := envoytest.Start(t, envoy.Bootstrap{XDS: plane.XDS, Mode: mode, NodeID: node, Cluster: "e2e", RTDS: []string{"layer"}})
			answer(t, e, "web", root, "old")
			plane.Apply(runtime(100))
			answer(t, e, "web", root, "new")
			nothingRefused(t, plane, e)
		})
	}
}

// Envoy asks for its runtime layers before anything else, and waits.
func TestARuntimeLayerThatDoesNotExistDoesNotHoldEnvoyUp(t *testing.T) {
	plane := envoytest.StartPlane(t)
	plane.Apply(documents(envoy.DeltaADS, listener("web", rds("table"), ""), table("table", to("none"))))
	e := envoytest.Start(t, envoy.Bootstrap{XDS: plane.XDS, Mode: envoy.DeltaADS, NodeID: node, Cluster: "e2e", RTDS: []string{"absent"}})
	e.WaitReady()
	if n := e.Stat("runtime.init_fetch_timeout"); n != 0 {
		t.Errorf("Envoy waited for the layer until its fetch timeout")
	}
}
