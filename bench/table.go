package bench

import (
	"bytes"
	"fmt"
	"io"

	"github.com/deltaplane/deltaplane/bench/probe"
)

// tableName is the name of the listener and of the large RouteConfiguration;
// with Scoped, the start of the names of the small ones.
const tableName = "bench"

// table writes the configuration under test. Routes are numbered through all
// hosts.
type table struct {
	routes, hosts int
	shape         Shape
	shards        int       // of Split; 0: not said
	backends      []backend // each is the one endpoint of the cluster that has its name
	labels        *labels   // what a load's requests and routes say; nil: nothing
}

// span is the first route of host h, and of the one after it.
func (t table) span(h int) (from, to int) {
	each, more := t.routes/t.hosts, t.routes%t.hosts
	from = h*each + min(h, more)
	to = from + each
	if h < more {
		to++
	}
	return from, to
}

// hostOf is the host that route i is in.
func (t table) hostOf(i int) int {
	each, more := t.routes/t.hosts, t.routes%t.hosts
	if i < more*(each+1) {
		return i / (each + 1)
	}
	return more + (i-more*(each+1))/each
}

func (t table) authority(h int) string { return fmt.Sprintf("host-%05d.bench.test", h) }
func (t table) path(i int) string      { return fmt.Sprintf("/route-%d/", i) }

// target is a request that route i takes.
func (t table) target(i int) probe.Target {
	return probe.Target{Host: t.authority(t.hostOf(i)), Path: t.path(i)}
}

// home is the backend that route i leads to at first: another one than its
// neighbours', so that a request which takes a wrong route is seen.
func (t table) home(i int) string { return t.backends[i%len(t.backends)].Name() }

// port is that of a backend.
func (t table) port(backend string) int {
	for _, b := range t.backends {
		if b.Name() == backend {
			return b.Port()
		}
	}
	return 0
}

// route is route i in YAML, with what it does.
func (t table) route(i int, does string) string {
	return fmt.Sprintf("{name: route-%d, match: {prefix: %s}, %s}", i, t.path(i), does)
}

// configuration is the name of the RouteConfiguration that host h is in.
func (t table) configuration(h int) string {
	if t.shape == Scoped {
		return fmt.Sprintf("%s-%05d", tableName, h)
	}
	return tableName
}

// hostResource is the name of host h as a VirtualHost resource.
func (t table) hostResource(h int) string { return fmt.Sprintf("%s/host-%05d", t.configuration(h), h) }

// writeHost writes host h; name is how it is called there.
func (t table) writeHost(w io.Writer, h int, name, indent string, does func(route int) string) {
	fmt.Fprintf(w, "name: %s\n%sdomains: [%s, \"%[3]s:*\"]\n%[2]sroutes:\n", name, indent, t.authority(h))
	from, to := t.span(h)
	for i := from; i < to; i++ {
		fmt.Fprintf(w, "%s- %s\n", indent, t.route(i, does(i)))
	}
}

// hostDocument is host h as a document of its own.
func (t table) hostDocument(w io.Writer, h int, does func(route int) string) {
	fmt.Fprint(w, "---\n\"@type\": type.googleapis.com/envoy.config.route.v3.VirtualHost\n")
	t.writeHost(w, h, t.hostResource(h), "", does)
}

// writeRoutes writes the table; hosts for which apart holds are left out.
func (t table) writeRoutes(w io.Writer, apart func(host int) bool, does func(route int) string) {
	open := func(h int) {
		fmt.Fprintf(w, "---\n\"@type\": type.googleapis.com/envoy.config.route.v3.RouteConfiguration\nname: %s\n%svirtual_hosts:\n", t.configuration(h), t.labels.ofTable())
	}
	if t.shape != Scoped {
		open(0)
	}
	for h := range t.hosts {
		if t.shape == Scoped {
			fmt.Fprintf(w, "---\n\"@type\": type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration\nname: host-%05d\nroute_configuration_name: %s\nkey: {fragments: [{string_key: %s}]}\n",
				h, t.configuration(h), t.authority(h))
			open(h)
		}
		if !apart(h) {
			fmt.Fprint(w, "- ")
			t.writeHost(w, h, fmt.Sprintf("host-%05d", h), "  ", does)
		}
	}
}

// writeShape says how the table is to be served, if that is not by default.
func (t table) writeShape(w io.Writer) {
	var how string
	switch {
	case t.shape == Plain:
		how = "mode: OFF"
	case t.shape == Split && t.shards > 0:
		how = fmt.Sprintf("shards: %d", t.shards)
	default:
		return
	}
	fmt.Fprintf(w, "---\n\"@type\": type.googleapis.com/deltaplane.v1.Shape\nname: %s\n%s\n", tableName, how)
}

// scopes find a request's table by its authority, without the port.
const scopes = `      scoped_routes:
        name: bench
        scope_key_builder:
          fragments: [{header_value_extractor: {name: ":authority", element_separator: ":", index: 0}}]
        rds_config_source: {ads: {}, resource_api_version: V3}
        scoped_rds: {scoped_rds_config_source: {ads: {}, resource_api_version: V3}}
`

// writeListener writes the one listener, on any port; server is what answers
// name as their server.
func (t table) writeListener(w io.Writer, server string) {
	routing := fmt.Sprintf("      rds: {route_config_name: %s, config_source: {ads: {}, resource_api_version: V3}}\n", tableName)
	if t.shape == Scoped {
		routing = scopes
	}
	fmt.Fprintf(w, `---
"@type": type.googleapis.com/envoy.config.listener.v3.Listener
name: %[1]s
address: {socket_address: {address: 127.0.0.1, port_value: 0}}
filter_chains:
- filters:
  - name: envoy.filters.network.http_connection_manager
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
      stat_prefix: %[1]s
      server_name: %[2]s
%[3]s%[4]s      http_filters:
%[5]s      - name: envoy.filters.http.router
        typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
`, tableName, server, routing, t.labels.ofManager(), t.labels.filter())
}

// writeCluster writes a cluster whose endpoint is a backend.
func (t table) writeCluster(w io.Writer, name, backend string) {
	fmt.Fprintf(w, `---
"@type": type.googleapis.com/envoy.config.cluster.v3.Cluster
name: %s
type: EDS
eds_cluster_config: {eds_config: {ads: {}, resource_api_version: V3}}
connect_timeout: 1s
%s`, name, t.labels.ofCluster())
	t.writeEndpoint(w, name, backend)
}

// writeEndpoint writes the endpoint of a cluster.
func (t table) writeEndpoint(w io.Writer, cluster, backend string) {
	fmt.Fprintf(w, `---
"@type": type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment
cluster_name: %s
endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: %d}}}}]}]
`, cluster, t.port(backend))
}

// write writes a document into memory.
func write(part func(io.Writer)) []byte {
	var b bytes.Buffer
	part(&b)
	return b.Bytes()
}
