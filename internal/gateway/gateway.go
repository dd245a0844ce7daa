// Package gateway writes the configuration of a large gateway: by default
// 1,000 hosts with ten routes each. The demo, the example and the tests use it.
package gateway

import (
	"bufio"
	"fmt"
	"io"
)

// Listener is the name of the gateway's one listener.
const Listener = "gateway"

// routeConfiguration is the name of the table.
const routeConfiguration = "gateway"

// Gateway says how large the gateway is. Every route starts on Clusters[0].
type Gateway struct {
	Hosts    int // virtual hosts
	Routes   int // of each host
	Listen   int // port on 127.0.0.1; 0: any
	Clusters []Cluster
	// Plain has the table go out as it is written: Envoy rebuilds all of it for
	// one changed route. Else it goes out in parts, if it is large enough.
	Plain bool
}

// Cluster is a backend on 127.0.0.1.
type Cluster struct {
	Name string
	Port int
}

// Host is the authority of host i.
func (g Gateway) Host(i int) string { return fmt.Sprintf("host-%04d.example.test", i) }

// Path is the path of route j of every host.
func (g Gateway) Path(j int) string { return fmt.Sprintf("/service-%d/", j) }

// Write writes all of it as YAML documents.
func (g Gateway) Write(to io.Writer) error {
	w := bufio.NewWriter(to)
	g.writeListener(w)
	for _, c := range g.Clusters {
		g.writeCluster(w, c)
	}
	if g.Plain {
		fmt.Fprintf(w, "---\n\"@type\": type.googleapis.com/deltaplane.v1.Shape\nname: %s\nmode: OFF\n", routeConfiguration)
	}
	fmt.Fprintf(w, "---\n\"@type\": type.googleapis.com/envoy.config.route.v3.RouteConfiguration\nname: %s\nvirtual_hosts:\n", routeConfiguration)
	for i := range g.Hosts {
		g.writeHost(w, i)
	}
	return w.Flush()
}

func (g Gateway) writeListener(w io.Writer) {
	fmt.Fprintf(w, `"@type": type.googleapis.com/envoy.config.listener.v3.Listener
name: %s
address: {socket_address: {address: 127.0.0.1, port_value: %d}}
filter_chains:
- filters:
  - name: envoy.filters.network.http_connection_manager
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
      stat_prefix: gateway
      rds: {route_config_name: %s, config_source: {ads: {}, resource_api_version: V3}}
      http_filters:
      - name: envoy.filters.http.router
        typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
`, Listener, g.Listen, routeConfiguration)
}

func (g Gateway) writeCluster(w io.Writer, c Cluster) {
	fmt.Fprintf(w, `---
"@type": type.googleapis.com/envoy.config.cluster.v3.Cluster
name: %[1]s
type: EDS
eds_cluster_config: {eds_config: {ads: {}, resource_api_version: V3}}
connect_timeout: 1s
---
"@type": type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment
cluster_name: %[1]s
endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: %[2]d}}}}]}]
`, c.Name, c.Port)
}

func (g Gateway) writeHost(w io.Writer, i int) {
	fmt.Fprintf(w, "- name: host-%04d\n  domains: [%s, \"%[2]s:*\"]\n  routes:\n", i, g.Host(i))
	for j := range g.Routes {
		fmt.Fprintf(w, "  - {name: route-%d, match: {prefix: %s}, route: {cluster: %s}}\n", j, g.Path(j), g.Clusters[0].Name)
	}
}

// HostResource is the name of host i as a VirtualHost resource.
func (g Gateway) HostResource(i int) string {
	return fmt.Sprintf("%s/host-%04d", routeConfiguration, i)
}

// Patch sends one route of a host to a cluster: a patch of the VirtualHost that
// HostResource names.
func (g Gateway) Patch(route int, cluster string) []byte {
	return fmt.Appendf(nil, "route: {name: route-%d, match: {prefix: %s}, route: {cluster: %s}}\n", route, g.Path(route), cluster)
}
