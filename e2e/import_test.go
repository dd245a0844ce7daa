package e2e

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane/internal/envoytest"
	"github.com/deltaplane/deltaplane/internal/traffic"
)

// grown is a bootstrap as they grow over the years: a listener without a name,
// keys inline, routes, endpoints, listeners and clusters from files, inline
// scopes, and a statistics sink with a cluster of its own. DIR, BLUE and GREEN
// are filled in.
const grown = `
node: {id: grown-1, cluster: grown}
admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}
stats_sinks:
- name: envoy.stat_sinks.statsd
  typed_config: {"@type": type.googleapis.com/envoy.config.metrics.v3.StatsdSink, tcp_cluster_name: statsd}
layered_runtime: {layers: [{name: fixed, static_layer: {grown.up: 100}}, {name: admin, admin_layer: {}}]}
dynamic_resources:
  lds_config: {path_config_source: {path: DIR/lds.yaml}}
  cds_config: {path_config_source: {path: DIR/cds.yaml}}
static_resources:
  secrets:
  - name: example
    tls_certificate: {certificate_chain: {filename: DIR/cert.pem}, private_key: {filename: DIR/key.pem}}
  clusters:
  - {name: statsd, load_assignment: {cluster_name: statsd, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: GREEN}}}}]}]}}
  - {name: blue, load_assignment: {cluster_name: ignored, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: BLUE}}}}]}]}}
  - {name: named, type: STRICT_DNS, dns_lookup_family: V4_ONLY, load_assignment: {cluster_name: named, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: localhost, port_value: BLUE}}}}]}]}}
  listeners:
  - address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    filter_chains: [{filters: [{name: hcm, typed_config: {HCM, stat_prefix: plain,
      rds: {route_config_name: filed, config_source: {path_config_source: {path: DIR/rds.yaml}}}}}]}]
  - name: secure
    address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    filter_chains:
    - transport_socket:
        name: tls
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
          common_tls_context: {tls_certificate_sds_secret_configs: [{name: example}]}
      filters: [{name: hcm, typed_config: {HCM, stat_prefix: secure, route_config: {virtual_hosts: [{name: all, domains: ["*"],
        routes: [{match: {path: /named}, route: {cluster: named}}, {match: {path: /statsd}, route: {cluster: statsd}},
          {match: {prefix: /, runtime_fraction: {default_value: {numerator: 0}, runtime_key: grown.up}}, route: {cluster: blue}}]}]}}}]
  - name: scoped
    address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    filter_chains: [{filters: [{name: hcm, typed_config: {HCM, stat_prefix: scoped, scoped_routes: {name: s,
      scope_key_builder: {fragments: [{header_value_extractor: {name: x-scope, index: 0, element_separator: ";"}}]},
      rds_config_source: {ads: {}, resource_api_version: V3},
      scoped_route_configurations_list: {scoped_route_configurations: [
        {name: one, key: {fragments: [{string_key: one}]}, route_configuration: {name: one, virtual_hosts: [{name: all, domains: ["*"], routes: [{match: {prefix: /}, route: {cluster: blue}}]}]}},
        {name: two, key: {fragments: [{string_key: two}]}, route_configuration: {name: two, validate_clusters: false, virtual_hosts: [{name: all, domains: ["*"], routes: [{match: {prefix: /}, route: {cluster: green}}]}]}}]}}}}]}]
`

// inFiles are what the bootstrap finds in DIR.
var inFiles = map[string]string{
	"lds.yaml": `
resources:
- "@type": type.googleapis.com/envoy.config.listener.v3.Listener
  name: filed
  address: {socket_address: {address: 127.0.0.1, port_value: 0}}
  filter_chains: [{filters: [{name: hcm, typed_config: {HCM, stat_prefix: filed,
    route_config: {name: filed, virtual_hosts: [{name: all, domains: ["*"], routes: [{match: {prefix: /}, direct_response: {status: 204}}]}]}}}]}]
`,
	"cds.yaml": `
resources:
- "@type": type.googleapis.com/envoy.config.cluster.v3.Cluster
  name: green
  type: EDS
  eds_cluster_config: {service_name: meadow, eds_config: {path_config_source: {path: DIR/eds.yaml}}}
`,
	"eds.yaml": `
resources:
- "@type": type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment
  cluster_name: meadow
  endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: GREEN}}}}]}]
`,
	"rds.yaml": `
resources:
- "@type": type.googleapis.com/envoy.config.route.v3.RouteConfiguration
  name: filed
  virtual_hosts: [{name: all, domains: ["*"], routes: [{match: {path: /green}, route: {cluster: green}}, {match: {prefix: /}, route: {cluster: blue}}]}]
`,
}

const manager = `"@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager,
      http_filters: [{name: router, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}]`

func TestAnEnvoyThatGrewOverTheYearsCanBeImported(t *testing.T) {
	blue, green := envoytest.Backend(t, "blue"), envoytest.Backend(t, "green")
	dir := t.TempDir()
	fill := strings.NewReplacer("DIR", dir, "HCM", manager, "BLUE", fmt.Sprint(blue.Port()), "GREEN", fmt.Sprint(green.Port())).Replace
	certificate, key := envoytest.Certificate(t, "example.test")
	files := map[string]string{"cert.pem": certificate, "key.pem": key, "old.yaml": fill(grown)}
	for name, text := range inFiles {
		files[name] = fill(text)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	before := envoytest.StartYAML(t, files["old.yaml"])
	before.WaitReady()

	plane := envoytest.StartPlane(t)
	moved := filepath.Join(dir, "moved")
	run := func(args ...string) string {
		t.Helper()
		output, err := exec.CommandContext(t.Context(), envoytest.Binary(t), args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%q: %v\n%s", args, err, output)
		}
		return string(output)
	}
	notes := run("import", filepath.Join(dir, "old.yaml"), "-o", moved, "--xds", plane.XDS)
	for _, want := range []string{
		`it is now called "listener_127.0.0.1_0"`, `cluster "statsd" stays in the bootstrap: the bootstrap needs it in stats_sinks[0]`,
		`changes of ` + dir + `/rds.yaml have no effect any more`, `"filed-2"`,
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("the notes lack %q:\n%s", want, notes)
		}
	}
	run("apply", "-f", filepath.Join(moved, "resources"), "--server", plane.API)
	bootstrap, err := os.ReadFile(filepath.Join(moved, "envoy.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	after := envoytest.StartYAML(t, string(bootstrap))
	after.WaitReady()
	if err := os.RemoveAll(moved); err != nil {
		t.Fatal(err)
	}
	for _, r := range []struct{ listener, path, scope, want string }{
		{"", "/", "", "200 blue"}, {"", "/green", "", "200 green"},
		{"secure", "/", "", "200 blue"}, {"secure", "/named", "", "200 blue"},
		{"scoped", "/", "one", "200 blue"}, {"scoped", "/", "two", "200 green"}, {"scoped", "/", "three", "404 "},
		{"filed", "/", "", "204 "},
	} {
		for when, e := range map[string]*envoytest.Envoy{"before": before, "after": after} {
			if got := ask(t, e, r.listener, r.path, r.scope); got != r.want {
				t.Errorf("%s: %+v: got %s", when, r, got)
			}
		}
	}
	for name, n := range after.StatsMatching(`update_rejected$|update_failure$`) {
		if n != 0 {
			t.Errorf("%s is %d", name, n)
		}
	}
}

// ask is what a listener, by default the one without a name of its own,
// says.
func ask(t *testing.T, e *envoytest.Envoy, listener, path, scope string) string {
	t.Helper()
	var address string
	envoytest.Eventually(t, "listener "+listener, func(ctx context.Context) error {
		all, err := e.Listeners(ctx)
		if err != nil {
			return err
		}
		named := map[string]bool{"secure": true, "scoped": true, "filed": true}
		for name, at := range all {
			if name == listener || listener == "" && !named[name] {
				address = at
				return nil
			}
		}
		return fmt.Errorf("there are only %v", all)
	})
	var config *tls.Config
	if listener == "secure" {
		config = &tls.Config{InsecureSkipVerify: true}
	}
	r := traffic.Request{Host: "example.test", Path: path, Header: http.Header{"X-Scope": {scope}}}
	a, err := envoytest.Client(t, address, config).Do(envoytest.Context(t), r)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(a.Status, " ", a.Body)
}
