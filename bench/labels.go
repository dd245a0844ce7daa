package bench

import (
	"fmt"
	"strings"

	"github.com/deltaplane/deltaplane/bench/traffic"
)

// labels are what the configuration has more when a load goes through it: a
// filter that takes up the requests' labels, access logs, routes that say which
// version they are from, and the way to backends that may want TLS or HTTP/2.
// The methods of nil write nothing.
type labels struct {
	load     Load
	identity *traffic.Identity // of the backends; nil: no TLS
}

// metadata is where the filter keeps the labels of a request.
const metadata = "deltaplane.bench"

// script takes the labels of a request up as metadata, for logs and metrics,
// and as headers of its answer. It neither changes what a request is routed by
// nor has the route chosen anew, which package shape can tell.
const script = `local space = "` + metadata + `"
function envoy_on_request(handle)
  local headers = handle:headers()
  local metadata = handle:streamInfo():dynamicMetadata()
  local function take(header, label)
    local value = headers:get(header)
    if value then metadata:set(space, label, value) end
  end
  take("` + traffic.RequestID + `", "request_id")
  take("` + traffic.SLATarget + `", "sla_target")
  take("` + traffic.BenchmarkID + `", "benchmark_id")
  take("` + traffic.TraceParent + `", "traceparent")
end
function envoy_on_response(handle)
  local labels = handle:streamInfo():dynamicMetadata():get(space)
  if not labels then return end
  local headers = handle:headers()
  if labels.request_id then headers:replace("` + traffic.RequestID + `", labels.request_id) end
  if labels.sla_target then headers:replace("` + traffic.SLATarget + `", labels.sla_target) end
  if labels.benchmark_id then headers:replace("` + traffic.BenchmarkID + `", labels.benchmark_id) end
end
`

// filter is that script as an HTTP filter.
func (l *labels) filter() string {
	if l == nil {
		return ""
	}
	return fmt.Sprintf(`      - name: envoy.filters.http.lua
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
          clear_route_cache: false
          default_source_code: {inline_string: %q}
`, script)
}

// requestsMetric counts the requests of a load, and timeMetric how long they
// took, in Envoy's own metrics, by label.
const (
	requestsMetric = "labelled_requests"
	timeMetric     = "upstream_us"
)

// upstreamTime is how long the backend took: from the first byte that Envoy sent
// there to the last that came back, in microseconds.
const upstreamTime = "%COMMON_DURATION(US_TX_BEG:US_RX_END:us)%"

// ofManager is what the HTTP connection manager has more.
func (l *labels) ofManager() string {
	if l == nil {
		return ""
	}
	label := func(name string) string { return "%DYNAMIC_METADATA(" + metadata + ":" + name + ")%" }
	tags := fmt.Sprintf("[{name: benchmark_id, value_format: %q}, {name: sla_target, value_format: %q}]", label("benchmark_id"), label("sla_target"))
	fields := strings.Join([]string{
		fmt.Sprintf("request_id: %q, benchmark_id: %q, sla_target: %q, traceparent: %q", label("request_id"), label("benchmark_id"), label("sla_target"), label("traceparent")),
		`start: "%START_TIME(%s.%6f)%", route: "%ROUTE_NAME%", cluster: "%UPSTREAM_CLUSTER%", version: "%REQ(` + traffic.Version + `)%"`,
		`status: "%RESPONSE_CODE%", flags: "%RESPONSE_FLAGS%", total_us: "%COMMON_DURATION(DS_RX_BEG:DS_TX_END:us)%", upstream_us: "` + upstreamTime + `"`,
	}, ", ")
	return fmt.Sprintf(`      preserve_external_request_id: true
      request_id_extension: {typed_config: {"@type": type.googleapis.com/envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig, pack_trace_reason: false}}
      access_log:
      - name: lines
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog
          log_format: {json_format: {%s}}
      - name: metrics
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.access_loggers.stats.v3.Config
          stat_prefix: bench
          counters: [{stat: {name: %s, tags: %s}, value_fixed: 1}]
          histograms: [{stat: {name: %s, tags: %[3]s}, unit: Microseconds, value_format: %[5]q}]
`, fields, requestsMetric, tags, timeMetric, upstreamTime)
}

// ofCluster is what a backend's cluster has more.
func (l *labels) ofCluster() string {
	if l == nil {
		return ""
	}
	var text string
	if l.load.Protocol == traffic.GRPC {
		text += `typed_extension_protocol_options:
  envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
    "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
    explicit_http_config: {http2_protocol_options: {}}
`
	}
	if l.identity != nil {
		text += fmt.Sprintf(`transport_socket:
  name: envoy.transport_sockets.tls
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
    sni: %[1]s
    common_tls_context:
      validation_context:
        trusted_ca: {inline_string: %[2]q}
        match_typed_subject_alt_names: [{san_type: DNS, matcher: {exact: %[1]s}}]
`, traffic.ServerName, l.identity.Certificate())
	}
	return text
}

// firstVersion is the one that the configuration begins with, as nothing was
// stored before. In a control plane that others change, too, it is the first
// commit of the bench.
const firstVersion = 1

// ofTable has routes say that they are from the first version, unless they say
// another.
func (l *labels) ofTable() string {
	if l == nil {
		return ""
	}
	return says(firstVersion, "ADD_IF_ABSENT") + "\n"
}

// says has a route tell the backend which version it is from.
func says(version uint64, action string) string {
	return fmt.Sprintf(`request_headers_to_add: [{header: {key: %s, value: "%d"}, append_action: %s}]`, traffic.Version, version, action)
}

// ofRoute is how long a route waits for its backend.
func (l *labels) ofRoute() string {
	if l == nil {
		return ""
	}
	return fmt.Sprintf(", timeout: %gs", l.load.Timeout.Seconds())
}
