package e2e

import (
	"fmt"
	"strings"
)

// documents is all of the weather as YAML.
func (w *weather) documents() string {
	docs := []string{
		stormListener("web", w.prefix["web"], rds(w.web), ""),
		stormListener("secure", w.prefix["secure"], rds(w.secure), `
  transport_socket:
    name: tls
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
      common_tls_context: {tls_certificate_sds_secret_configs: [{name: server, sds_config: SOURCE}]}`),
		stormListener("scoped", w.prefix["scoped"], scopedRoutes, ""),
		secret("server", w.pems[w.pem]),
	}
	if w.spare != "" {
		// On an address of its own: with port 0, Envoy gives a new listener the
		// socket of one that drains on the same address.
		spare := stormListener(w.spare, 0, rds(w.web), "")
		docs = append(docs, strings.Replace(spare, "127.0.0.1", "127.0.0.2", 1))
	}
	for _, name := range names(w.clusters) {
		c := w.clusters[name]
		docs = append(docs, cluster(name)+fmt.Sprintf("per_connection_buffer_limit_bytes: %d\n", 1<<20+c.buffer), endpoints(name, c.ports...))
	}
	for _, name := range names(w.tables) {
		docs = append(docs, stormTable(name, w.tables[name]))
	}
	for _, tenant := range names(w.scopes) {
		docs = append(docs, scope(tenant, w.scopes[tenant]))
	}
	return documents(w.mode, docs...)
}

// stormListener is a listener whose filter chain alone changes with n, so that
// Envoy drains that, and not the connections of the others.
func stormListener(name string, n int, routes, socket string) string {
	return fmt.Sprintf(`"@type": type.googleapis.com/envoy.config.listener.v3.Listener
name: %[1]s
address: {socket_address: {address: 127.0.0.1, port_value: 0}}
filter_chains:
- filters:
  - name: hcm
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
      stat_prefix: %[1]s
      max_request_headers_kb: %[2]d
      %[3]s
      http_filters:%[4]s%[5]s
`, name, 60+n%30, routes, strings.TrimRight(router, "\n"), socket)
}

const scopedRoutes = `scoped_routes:
        name: scopes
        scope_key_builder: {fragments: [{header_value_extractor: {name: tenant, index: 0}}]}
        rds_config_source: SOURCE
        scoped_rds: {scoped_rds_config_source: SOURCE}`

func scope(tenant, table string) string {
	return fmt.Sprintf(`"@type": type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration
name: %[1]s
route_configuration_name: %[2]s
key: {fragments: [{string_key: %[1]s}]}
`, tenant, table)
}

func stormTable(name string, clusters map[string]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\"@type\": type.googleapis.com/envoy.config.route.v3.RouteConfiguration\nname: %s\nvirtual_hosts:\n", name)
	for _, host := range names(clusters) {
		fmt.Fprintf(&b, "- {name: %q, domains: [%[1]q], routes: [%s]}\n", host, to(clusters[host]))
	}
	return b.String()
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
