package storm

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Names of spare resources start with these.
const (
	spareListener = "spare-listener"
	spareScope    = "spare-scope"
)

// Documents is all of the configuration in YAML.
func (w *World) Documents() string {
	var docs []string
	for _, name := range slices.Sorted(maps.Keys(w.clusters)) {
		docs = append(docs, w.clusterDocument(name, w.clusters[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(w.endpoints)) {
		docs = append(docs, fmt.Sprintf(endpointsForm, name, w.Backends[w.endpoints[name]].Port))
	}
	docs = append(docs, w.secretDocument(), w.webTable())
	for i := range w.tenants {
		docs = append(docs, scopeDocument(tenantName(i), w.tenants[i].table))
	}
	for i := range tables {
		// A scope that leads to a table which Envoy has not got yet answers
		// 404. So another one leads to each table, always.
		docs = append(docs, w.scopedTable(i), scopeDocument("anchor-"+tableName(i), i))
	}
	docs = append(docs, table(Secure, host("all", "*", w.cluster)),
		w.listenerDocument(Web, w.web, w.rds(w.table), ""),
		w.listenerDocument(Scoped, w.scoped, strings.ReplaceAll(scopes, "SOURCE", w.Source), ""),
		w.listenerDocument(Secure, w.secure, w.rds(Secure), fmt.Sprintf(tlsForm, w.secret, w.Source)))
	for _, name := range slices.Sorted(maps.Keys(w.spare)) {
		if strings.HasPrefix(name, spareScope) {
			docs = append(docs, scopeDocument(name, w.spare[name]))
		} else {
			docs = append(docs, w.listenerDocument(name, listener{}, w.rds(w.table), ""))
		}
	}
	return strings.Join(docs, "---\n")
}

const endpointsForm = `"@type": type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment
cluster_name: %s
endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: %d}}}}]}]
`

func (w *World) clusterDocument(name string, c *cluster) string {
	return fmt.Sprintf(`"@type": type.googleapis.com/envoy.config.cluster.v3.Cluster
name: %s
type: EDS
eds_cluster_config: {service_name: %s, eds_config: %s}
connect_timeout: 5s
per_connection_buffer_limit_bytes: %d
`, name, c.service, w.Source, 1<<20+c.form)
}

func (w *World) secretDocument() string {
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
`, w.secret, indented(w.Certificate().Chain), indented(w.Certificate().Key))
}

func host(name, domain, cluster string) string {
	return fmt.Sprintf("- {name: %s, domains: [%q], routes: [{match: {prefix: /}, route: {cluster: %s}}]}\n", name, domain, cluster)
}

func table(name string, hosts ...string) string {
	list := " []\n"
	if len(hosts) > 0 {
		list = "\n" + strings.Join(hosts, "")
	}
	return fmt.Sprintf("\"@type\": type.googleapis.com/envoy.config.route.v3.RouteConfiguration\nname: %s\nvirtual_hosts:%s", name, list)
}

func (w *World) webTable() string {
	var list []string
	for i, cluster := range w.hosts {
		list = append(list, host(fmt.Sprintf("host-%d", i), hostName(i), cluster))
	}
	return table(w.table, list...)
}

func (w *World) scopedTable(i int) string {
	var list []string
	for j, t := range w.tenants {
		if t.table == i {
			list = append(list, host(tenantName(j), tenantName(j)+".example.test", t.cluster))
		}
	}
	return table(tableName(i), list...)
}

func tableName(i int) string { return fmt.Sprintf("scoped-%d", i) }

func scopeDocument(name string, table int) string {
	return fmt.Sprintf(`"@type": type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration
name: %s
route_configuration_name: %s
key: {fragments: [{string_key: %[1]s}]}
`, name, tableName(table))
}

func (w *World) rds(table string) string {
	return fmt.Sprintf("rds: {route_config_name: %s, config_source: %s}", table, w.Source)
}

const scopes = `scoped_routes:
        name: scopes
        scope_key_builder: {fragments: [{header_value_extractor: {name: tenant, index: 0}}]}
        rds_config_source: SOURCE
        scoped_rds: {scoped_rds_config_source: SOURCE}`

const tlsForm = `  transport_socket:
    name: tls
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
      common_tls_context: {tls_certificate_sds_secret_configs: [{name: %s, sds_config: %s}]}
`

func (w *World) listenerDocument(name string, l listener, routes, socket string) string {
	return fmt.Sprintf(`"@type": type.googleapis.com/envoy.config.listener.v3.Listener
name: %s
address: {socket_address: {address: %s, port_value: %d}}
per_connection_buffer_limit_bytes: %d
filter_chains:
- filters:
  - name: hcm
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
      stat_prefix: storm
      max_request_headers_kb: %d
      %s
      http_filters:
      - name: router
        typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
%s`, name, w.Address, w.Ports[name], 1<<20+l.outer, 60+l.chain%4000, routes, socket)
}
