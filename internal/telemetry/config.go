package telemetry

import (
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
)

// Config says where traces go. OpenTelemetry's own environment variables hold
// as well: OTEL_EXPORTER_OTLP_* and OTEL_TRACES_EXPORTER, OTEL_SERVICE_NAME and
// OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER, OTEL_BSP_*; and
// OTEL_SDK_DISABLED=true or OTEL_TRACES_EXPORTER=none turn everything off.
type Config struct {
	Endpoint string       // URL of an OTLP receiver; "": as the environment says
	Version  string       // of this build
	Once     bool         // what cannot be sent is not tried again: for commands, which end soon
	Logger   *slog.Logger // hears when traces cannot be sent; default: discard
}

// The protocols that OTLP is spoken over.
const (
	overGRPC = "grpc"
	overHTTP = "http/protobuf"
)

// first is the first of the variables that is set.
func first(names ...string) string {
	for _, name := range names {
		if value := os.Getenv(name); value != "" {
			return value
		}
	}
	return ""
}

// protocol is how traces are sent; "" when there are to be none.
func (c Config) protocol() (string, error) {
	if strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") {
		return "", nil
	}
	endpoint := c.Endpoint
	if endpoint == "" {
		endpoint = first("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
	}
	switch exporter := os.Getenv("OTEL_TRACES_EXPORTER"); exporter {
	case "none":
		return "", nil
	case "":
		if endpoint == "" {
			return "", nil
		}
	case "otlp":
	default:
		return "", fmt.Errorf("OTEL_TRACES_EXPORTER=%s: expected otlp or none", exporter)
	}
	at, err := url.Parse(endpoint)
	if err != nil || endpoint != "" && (at.Host == "" || at.Scheme != "http" && at.Scheme != "https") {
		return "", fmt.Errorf("OTLP endpoint %q: expected http://HOST:PORT or https://HOST:PORT", endpoint)
	}
	switch named := first("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"); named {
	case overGRPC, overHTTP:
		return named, nil
	case "":
		if at.Port() == "4317" { // where OTLP over gRPC is registered
			return overGRPC, nil
		}
		return overHTTP, nil
	default:
		return "", fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL=%s: expected %s or %s", named, overGRPC, overHTTP)
	}
}

// HTTPEndpoint is the URL below which a receiver takes traces over HTTP, by c
// and the environment, as Start would send them; "" if there are to be none. It
// is for programs that send OTLP by themselves, which speak no gRPC: that the
// receiver does is an error.
func (c Config) HTTPEndpoint() (string, error) {
	protocol, err := c.protocol()
	if err != nil || protocol == "" {
		return "", err
	}
	endpoint := c.Endpoint
	if endpoint == "" {
		endpoint = first("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
	}
	if endpoint == "" {
		endpoint = "http://localhost:4318" // OpenTelemetry's own default
	}
	if protocol == overGRPC {
		at, _ := url.Parse(endpoint) // it parses, as protocol has seen
		return "", fmt.Errorf("OTLP endpoint %s: it is spoken to over gRPC; name its port for OTLP over HTTP (usually 4318), or turn traces off: OTEL_TRACES_EXPORTER=none", at.Redacted())
	}
	return endpoint, nil
}
