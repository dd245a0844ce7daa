package envoy

import (
	"encoding/json"
	"fmt"
	"net"
	"strings"
)

// Mode is how an Envoy asks for its configuration (xDS protocol, "Four
// Variants").
type Mode struct {
	Delta    bool // incremental rather than state of the world
	Separate bool // one stream per type rather than the aggregated one
}

// The four variants.
var (
	DeltaADS      = Mode{Delta: true}
	SotwADS       = Mode{}
	DeltaSeparate = Mode{Delta: true, Separate: true}
	SotwSeparate  = Mode{Separate: true}
)

// Modes are all four.
func Modes() []Mode { return []Mode{DeltaADS, SotwADS, DeltaSeparate, SotwSeparate} }

// String is m as words that can be part of a test's name.
func (m Mode) String() string {
	kind, streams := "SotW", "ADS"
	if m.Delta {
		kind = "delta"
	}
	if m.Separate {
		streams = "separate streams"
	}
	return kind + " " + streams
}

// apiType is the value of ApiConfigSource.api_type.
func (m Mode) apiType() string {
	if m.Delta {
		return "DELTA_GRPC"
	}
	return "GRPC"
}

// service is a grpc_services list with the reconnect backoff that Envoy really
// has: retry_back_off. Its default would cost seconds after a restart.
const service = `[{envoy_grpc: {cluster_name: xds, retry_policy: {retry_back_off: {base_interval: 0.01s, max_interval: 0.1s}}}}]`

// ConfigSource is a core.v3.ConfigSource in YAML's flow style: what a
// listener's rds, a cluster's eds_cluster_config and so on need in this mode.
func (m Mode) ConfigSource() string {
	if !m.Separate {
		return "{ads: {}, resource_api_version: V3, initial_fetch_timeout: 15s}"
	}
	return fmt.Sprintf("{api_config_source: {api_type: %s, transport_api_version: V3, grpc_services: %s}, resource_api_version: V3, initial_fetch_timeout: 15s}",
		m.apiType(), service)
}

// Bootstrap describes an Envoy that gets everything from one control plane.
type Bootstrap struct {
	XDS      string // host:port of the control plane
	Mode     Mode
	NodeID   string
	Cluster  string
	Metadata map[string]any
	RTDS     []string // names of runtime layers to ask for
}

// YAML is b as Envoy reads it.
func (b Bootstrap) YAML() (string, error) {
	host, port, err := net.SplitHostPort(b.XDS)
	if err != nil {
		return "", fmt.Errorf("xDS address: %w", err)
	}
	if b.Metadata == nil {
		b.Metadata = map[string]any{}
	}
	metadata, err := json.Marshal(b.Metadata)
	if err != nil {
		return "", fmt.Errorf("node metadata: %w", err)
	}
	var s strings.Builder
	fmt.Fprintf(&s, "node: {id: %q, cluster: %q, metadata: %s}\n", b.NodeID, b.Cluster, metadata)
	s.WriteString("admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}\n")
	s.WriteString("dynamic_resources:\n")
	if !b.Mode.Separate {
		fmt.Fprintf(&s, "  ads_config: {api_type: %s, transport_api_version: V3, set_node_on_first_message_only: true, grpc_services: %s}\n",
			b.Mode.apiType(), service)
	}
	fmt.Fprintf(&s, "  lds_config: %s\n  cds_config: %[1]s\n", b.Mode.ConfigSource())
	s.WriteString("layered_runtime:\n  layers:\n")
	for _, name := range b.RTDS {
		fmt.Fprintf(&s, "  - {name: %q, rtds_layer: {name: %[1]q, rtds_config: %s}}\n", name, b.Mode.ConfigSource())
	}
	s.WriteString("  - {name: admin, admin_layer: {}}\n")
	fmt.Fprintf(&s, `static_resources:
  clusters:
  - name: xds
    type: STATIC
    connect_timeout: 1s
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {http2_protocol_options: {connection_keepalive: {interval: 5s, timeout: 2s}}}
    load_assignment:
      cluster_name: xds
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: %q, port_value: %s}}}}]}]
`, host, port)
	return s.String(), nil
}
