// Generate writes the sidecar example: one listener and one route table for
// 200 services, each with a cluster and endpoints in two zones.
//
//	go run ./examples/sidecar/generate FILE
package main

import (
	"fmt"
	"log"
	"os"
	"strings"
)

const services = 200

const head = `# What the sidecar of one service needs in a mesh of 200: an outbound listener
# that routes by host name, and an inbound one for its own application.
# Made by ` + "`go generate ./examples`" + `.
"@type": type.googleapis.com/envoy.config.listener.v3.Listener
name: outbound
address: {socket_address: {address: 127.0.0.1, port_value: 15001}} # listen
traffic_direction: OUTBOUND
filter_chains:
- filters:
  - name: envoy.filters.network.http_connection_manager
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
      stat_prefix: outbound
      rds: {route_config_name: outbound, config_source: {ads: {}, resource_api_version: V3}}
      http_filters:
      - name: envoy.filters.http.router
        typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
---
"@type": type.googleapis.com/envoy.config.listener.v3.Listener
name: inbound
address: {socket_address: {address: 127.0.0.1, port_value: 15006}} # listen
traffic_direction: INBOUND
filter_chains:
- filters:
  - name: envoy.filters.network.http_connection_manager
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
      stat_prefix: inbound
      route_config:
        name: inbound
        virtual_hosts:
        - name: application
          domains: ["*"]
          routes: [{match: {prefix: /}, route: {cluster: application, timeout: 0s}}]
      http_filters:
      - name: envoy.filters.http.router
        typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
---
"@type": type.googleapis.com/envoy.config.cluster.v3.Cluster
name: application
type: STATIC
connect_timeout: 1s
load_assignment:
  cluster_name: application
  endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 8080}}}}]}]
---
"@type": type.googleapis.com/envoy.config.route.v3.RouteConfiguration
name: outbound
ignore_port_in_host_matching: true
virtual_hosts:
`

const host = `- name: %[1]s
  domains: [%[1]s, %[1]s.shop, %[1]s.shop.svc.cluster.local]
  routes: [{match: {prefix: /}, route: {cluster: %[1]s, timeout: 15s, retry_policy: {retry_on: "connect-failure,refused-stream,unavailable", num_retries: 2}}}]
`

const cluster = `---
"@type": type.googleapis.com/envoy.config.cluster.v3.Cluster
name: %[1]s
type: EDS
eds_cluster_config: {eds_config: {ads: {}, resource_api_version: V3}}
connect_timeout: 1s
lb_policy: LEAST_REQUEST
outlier_detection: {consecutive_5xx: 5}
---
"@type": type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment
cluster_name: %[1]s
endpoints:
- locality: {zone: a}
  lb_endpoints: [{endpoint: {address: {socket_address: {address: 10.0.%[2]d.1, port_value: 8080}}}}, {endpoint: {address: {socket_address: {address: 10.0.%[2]d.2, port_value: 8080}}}}]
- locality: {zone: b}
  priority: 1
  lb_endpoints: [{endpoint: {address: {socket_address: {address: 10.1.%[2]d.1, port_value: 8080}}}}]
`

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: generate FILE")
	}
	var b strings.Builder
	b.WriteString(head)
	for i := range services {
		fmt.Fprintf(&b, host, name(i))
	}
	for i := range services {
		fmt.Fprintf(&b, cluster, name(i), i)
	}
	if err := os.WriteFile(os.Args[1], []byte(b.String()), 0o644); err != nil {
		log.Fatal(err)
	}
}

func name(i int) string { return fmt.Sprintf("service-%03d", i) }
