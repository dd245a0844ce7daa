package telemetry

import (
	"strings"
	"testing"
)

func TestTracesAreMadeWhenAskedFor(t *testing.T) {
	const endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT"
	for name, c := range map[string]struct {
		flag     string
		env      map[string]string
		protocol string
		err      string
	}{
		"nothing set":           {},
		"a flag":                {flag: "http://127.0.0.1:4318", protocol: overHTTP},
		"the port of gRPC":      {flag: "http://127.0.0.1:4317", protocol: overGRPC},
		"the environment":       {env: map[string]string{endpoint: "https://collector:4318"}, protocol: overHTTP},
		"traces alone":          {env: map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4317"}, protocol: overGRPC},
		"a protocol":            {env: map[string]string{endpoint: "http://collector:80", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, protocol: overGRPC},
		"the exporter":          {env: map[string]string{"OTEL_TRACES_EXPORTER": "otlp"}, protocol: overHTTP},
		"switched off":          {flag: "http://127.0.0.1:4318", env: map[string]string{"OTEL_SDK_DISABLED": "true"}},
		"no exporter":           {flag: "http://127.0.0.1:4318", env: map[string]string{"OTEL_TRACES_EXPORTER": "none"}},
		"another exporter":      {env: map[string]string{"OTEL_TRACES_EXPORTER": "zipkin"}, err: "expected otlp or none"},
		"no URL":                {flag: "127.0.0.1:4318", err: "expected http://HOST:PORT"},
		"another scheme":        {flag: "ftp://127.0.0.1", err: "expected http://HOST:PORT"},
		"JSON, not spoken here": {flag: "http://127.0.0.1:1", env: map[string]string{"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}, err: "expected grpc or"},
	} {
		t.Run(name, func(t *testing.T) {
			for key, value := range c.env {
				t.Setenv(key, value)
			}
			protocol, err := Config{Endpoint: c.flag}.protocol()
			if protocol != c.protocol {
				t.Errorf("the protocol is %q, want %q", protocol, c.protocol)
			}
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("the error is %v, want %q", err, c.err)
			}
		})
	}
}

func TestWhereTracesGoOverHTTP(t *testing.T) {
	const general, traces = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	for name, test := range map[string]struct {
		flag string
		env  map[string]string
		want string
		err  string
	}{
		"nothing":         {},
		"the flag":        {flag: "http://a:4318", env: map[string]string{general: "http://b:4318"}, want: "http://a:4318"},
		"the environment": {env: map[string]string{general: "http://b:4318"}, want: "http://b:4318"},
		"traces alone":    {env: map[string]string{general: "http://b:4318", traces: "http://c:4318/v1/traces"}, want: "http://c:4318/v1/traces"},
		"the exporter":    {env: map[string]string{"OTEL_TRACES_EXPORTER": "otlp"}, want: "http://localhost:4318"},
		"switched off":    {flag: "http://a:4318", env: map[string]string{"OTEL_SDK_DISABLED": "true"}},
		"gRPC":            {env: map[string]string{general: "http://b:4317"}, err: "over gRPC"},
		"no URL":          {flag: "b:4318", err: "expected http"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, unset := range []string{general, traces, "OTEL_TRACES_EXPORTER", "OTEL_SDK_DISABLED", "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"} {
				t.Setenv(unset, test.env[unset])
			}
			got, err := Config{Endpoint: test.flag}.HTTPEndpoint()
			if got != test.want || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("%q, error %v; want %q, %q", got, err, test.want, test.err)
			}
		})
	}
}
