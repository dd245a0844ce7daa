package e2e

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane/internal/envoy"
	"github.com/deltaplane/deltaplane/internal/envoytest"
)

// node is the id of every Envoy in these tests.
const node = "envoy-1"

// start runs a control plane and an Envoy that gets its configuration from it
// in the given way.
func start(t *testing.T, mode envoy.Mode) (*envoytest.Plane, *envoytest.Envoy) {
	t.Helper()
	plane := envoytest.StartPlane(t)
	return plane, startEnvoy(t, plane, mode)
}

func startEnvoy(t *testing.T, plane *envoytest.Plane, mode envoy.Mode) *envoytest.Envoy {
	t.Helper()
	return envoytest.Start(t, envoy.Bootstrap{XDS: plane.XDS, Mode: mode, NodeID: node, Cluster: "e2e"})
}

// documents joins YAML documents. In each, SOURCE is the mode's config source.
func documents(mode envoy.Mode, docs ...string) string {
	return strings.ReplaceAll(strings.Join(docs, "---\n"), "SOURCE", mode.ConfigSource())
}

// router is the end of every list of HTTP filters.
const router = `
      - name: router
        typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
`

// listener is an HTTP listener on a free port. The routes say where its
// routes come from; filters go before the router.
func listener(name, routes, filters string) string {
	return fmt.Sprintf(`"@type": type.googleapis.com/envoy.config.listener.v3.Listener
name: %s
address: {socket_address: {address: 127.0.0.1, port_value: 0}}
filter_chains:
- filters:
  - name: hcm
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
      stat_prefix: %[1]s
      %[2]s
      http_filters:%[3]s%[4]s`, name, routes, filters, router)
}

// rds takes a listener's routes from a route configuration.
func rds(name string) string {
	return fmt.Sprintf("rds: {route_config_name: %s, config_source: SOURCE}", name)
}

// table is a route configuration with one host for every domain.
func table(name string, routes ...string) string {
	return fmt.Sprintf(`"@type": type.googleapis.com/envoy.config.route.v3.RouteConfiguration
name: %s
virtual_hosts:
- name: all
  domains: ["*"]
  routes: [%s]
`, name, strings.Join(routes, ", "))
}

// to is a route of all paths to a cluster.
func to(cluster string) string {
	return fmt.Sprintf("{match: {prefix: /}, route: {cluster: %s}}", cluster)
}

// cluster is an EDS cluster, endpoints where it leads.
func cluster(name string) string {
	return fmt.Sprintf(`"@type": type.googleapis.com/envoy.config.cluster.v3.Cluster
name: %s
type: EDS
eds_cluster_config: {eds_config: SOURCE}
connect_timeout: 1s
`, name)
}

func endpoints(cluster string, ports ...int) string {
	list := make([]string, len(ports))
	for i, port := range ports {
		list[i] = "{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: " + strconv.Itoa(port) + "}}}}"
	}
	return fmt.Sprintf(`"@type": type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment
cluster_name: %s
endpoints: [{lb_endpoints: [%s]}]
`, cluster, strings.Join(list, ", "))
}

// scopedRoutes has a listener choose its route configuration by the tenant.
const scopedRoutes = `scoped_routes:
        name: scopes
        scope_key_builder: {fragments: [{header_value_extractor: {name: tenant, index: 0}}]}
        rds_config_source: SOURCE
        scoped_rds: {scoped_rds_config_source: SOURCE}`

// scope leads a tenant to a route configuration.
func scope(tenant, table string) string {
	return fmt.Sprintf(`"@type": type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration
name: %[1]s
route_configuration_name: %[2]s
key: {fragments: [{string_key: %[1]s}]}
`, tenant, table)
}

// secret is a server's certificate and key.
func secret(name string, pem [2]string) string {
	indented := func(pem string) string { return strings.ReplaceAll(strings.TrimSpace(pem), "\n", "\n      ") }
	return fmt.Sprintf(`"@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret
name: %s
tls_certificate:
  certificate_chain:
    inline_string: |
      %s
  private_key:
    inline_string: |
      %s
`, name, indented(pem[0]), indented(pem[1]))
}
