package resource

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// referring are resources with what they refer to.
var referring = map[string]struct{ text, want string }{
	"routes": {`
"@type": type.googleapis.com/envoy.config.route.v3.RouteConfiguration
name: r
virtual_hosts:
- name: h
  domains: [x]
  request_mirror_policies: [{cluster: mirror}]
  routes:
  - {match: {prefix: /a}, route: {cluster: one}}
  - {match: {prefix: /b}, route: {cluster: one}}
  - {match: {prefix: /c}, route: {cluster_header: x-cluster}}
  - match: {prefix: /d}
    route: {weighted_clusters: {clusters: [{name: two, weight: 1}, {cluster_header: x, weight: 1}]}}
    typed_per_filter_config:
      ext_authz:
        "@type": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute
        check_settings: {grpc_service: {envoy_grpc: {cluster_name: authz}}}
`, `Cluster one virtual_hosts[0].routes[0].route.cluster
Cluster two virtual_hosts[0].routes[3].route.weighted_clusters.clusters[0].name
Cluster authz virtual_hosts[0].routes[3].typed_per_filter_config["ext_authz"].check_settings.grpc_service.envoy_grpc.cluster_name
Cluster mirror virtual_hosts[0].request_mirror_policies[0].cluster
`},
	"clusters": {clusterType + `
name: c
type: EDS
eds_cluster_config: {service_name: svc, eds_config: {ads: {}}}
transport_socket:
  name: tls
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
    common_tls_context:
      tls_certificate_sds_secret_configs:
      - {name: cert, sds_config: {ads: {}}}
      - {name: file, sds_config: {path_config_source: {path: /x}}}
`, `Endpoint svc eds_cluster_config.service_name
Secret cert transport_socket.typed_config.common_tls_context.tls_certificate_sds_secret_configs[0].name
`},
	"clusters without a service name": {clusterType + "\nname: c\ntype: EDS\neds_cluster_config: {eds_config: {ads: {}}}\n", "Endpoint c name\n"},
	"clusters of another source":      {clusterType + "\nname: c\ntype: EDS\neds_cluster_config: {eds_config: {path_config_source: {path: /x}}}\n", ""},
	"listeners": {`
"@type": type.googleapis.com/envoy.config.listener.v3.Listener
name: l
address: {socket_address: {address: 127.0.0.1, port_value: 0}}
filter_chains:
- filters:
  - name: hcm
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
      stat_prefix: x
      rds: {route_config_name: edge, config_source: {ads: {}}}
      http_filters:
      - name: jwt
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication
          providers: {p: {remote_jwks: {http_uri: {uri: https://x, cluster: jwks, timeout: 1s}}}}
      - name: late
        config_discovery: {config_source: {ads: {}}, type_urls: [type.googleapis.com/envoy.extensions.filters.http.router.v3.Router]}
- filters:
  - name: tcp
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy
      stat_prefix: x
      weighted_clusters: {clusters: [{name: db, weight: 1}]}
      access_log:
      - name: als
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.access_loggers.grpc.v3.TcpGrpcAccessLogConfig
          common_config: {log_name: x, grpc_service: {envoy_grpc: {cluster_name: als}}}
`, `Route edge filter_chains[0].filters[0].typed_config.rds.route_config_name
Cluster jwks filter_chains[0].filters[0].typed_config.http_filters[0].typed_config.providers["p"].remote_jwks.http_uri.cluster
Extension late filter_chains[0].filters[0].typed_config.http_filters[1].name
Cluster als filter_chains[1].filters[0].typed_config.access_log[0].typed_config.common_config.grpc_service.envoy_grpc.cluster_name
Cluster db filter_chains[1].filters[0].typed_config.weighted_clusters.clusters[0].name
`},
	"scopes": {`
"@type": type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration
name: s
route_configuration_name: edge
key: {fragments: [{string_key: x}]}
`, "Route edge route_configuration_name\n"},
}

func TestReferencesAreFoundAtAnyDepth(t *testing.T) {
	for name, c := range referring {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			for _, ref := range decodeOne(t, c.text).References() {
				fmt.Fprintf(&b, "%s %s %s\n", ref.Type.Short(), ref.Name, ref.Path)
			}
			if b.String() != c.want {
				t.Errorf("got\n%s\nwant\n%s", b.String(), c.want)
			}
		})
	}
}

func TestFieldsThatAreNamedInTablesExist(t *testing.T) {
	for _, table := range []map[protoreflect.FullName]bool{clusterFields, alsoSensitive, harmless} {
		for name := range table {
			if _, err := protoregistry.GlobalFiles.FindDescriptorByName(name); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	for name := range checks {
		if _, err := protoregistry.GlobalTypes.FindMessageByName(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
