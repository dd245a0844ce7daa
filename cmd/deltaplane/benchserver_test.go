package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestABenchReachesARunningControlPlaneAsOtherCommandsDo(t *testing.T) {
	authority, _ := pair(t, t.TempDir(), "localhost")
	tokens := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(tokens, []byte("ci: 0123456789abcdef0123\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var token string
	api := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { token = r.Header.Get("Authorization") }))
	defer api.Close()
	cfg, err := benchArgs("--server="+api.URL, "--xds=127.0.0.1:2", "--ca="+authority, "--token-file="+tokens, "--namespace=n", "--tls-ca="+authority, "--tls-server-name=cp.test")
	if err != nil {
		t.Fatal(err)
	}
	if s := cfg.Server; s == nil || s.URL != api.URL || s.XDS != "127.0.0.1:2" || s.Namespace != "n" {
		t.Fatalf("server %+v", cfg.Server)
	}
	client := http.Client{Transport: cfg.Server.Transport}
	resp, err := client.Get(api.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	client.CloseIdleConnections()
	if token != "Bearer 0123456789abcdef0123" {
		t.Errorf("the token is %q", token)
	}
	text, err := cfg.Bootstrap("127.0.0.1:2", "node-1", "cluster-1")
	for _, want := range []string{"node-1", "cluster-1", "cp.test", authority} {
		if err != nil || !strings.Contains(text, want) {
			t.Errorf("the bootstrap lacks %q, error %v:\n%s", want, err, text)
		}
	}
}

func TestWhatIsOfARunningControlPlaneNeedsOne(t *testing.T) {
	t.Setenv("DELTAPLANE_SERVER", "http://prod:18001") // no bench gets there by accident
	if cfg, err := benchArgs(); err != nil || cfg.Server != nil {
		t.Errorf("server %+v, error %v", cfg.Server, err)
	}
	const server, xds = "--server=http://a:1", "--xds=a:2"
	for _, args := range [][]string{
		{server}, {xds}, {"--namespace=n"}, {"--ca=c"}, {"--token-file=t"}, {"--tls-ca=c"},
		{server, "--xds=nowhere"}, {server, xds, "--tls-cert=c"}, {server, xds, "--tls-ca=a", "--relay"}, {server, xds, "--tls-ca=a", "--tls-cert=c"},
	} {
		_, err := benchArgs(args...)
		if _, usage := errors.AsType[usageError](err); !usage {
			t.Errorf("%v: error is %v", args, err)
		}
	}
	for _, args := range [][]string{{server, xds, "--ca=/no/such/file"}, {server, xds, "--token-file=/no/such/file"}} {
		if _, err := benchArgs(args...); err == nil || !strings.Contains(err.Error(), "/no/such/file") {
			t.Errorf("%v: error is %v", args, err)
		}
	}
	if cfg, err := fleetArgs(t, server, xds); err != nil || cfg.Server != "http://a:1" || cfg.XDS != "a:2" || cfg.Transport == nil {
		t.Errorf("simulated: %+v, error %v", cfg, err)
	}
}

func TestABenchTracesWhereTheEnvironmentSays(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318")
	if cfg, err := benchArgs(); err != nil || cfg.Traces != "http://collector:4318" {
		t.Errorf("traces to %q, error %v", cfg.Traces, err)
	}
	if cfg, err := benchArgs("--otlp-endpoint=http://other:4318"); err != nil || cfg.Traces != "http://other:4318" {
		t.Errorf("traces to %q, error %v", cfg.Traces, err)
	}
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317")
	_, err := benchArgs()
	if _, usage := errors.AsType[usageError](err); !usage {
		t.Errorf("over gRPC: error is %v", err)
	}
	t.Setenv("OTEL_SDK_DISABLED", "true")
	if cfg, err := benchArgs(); err != nil || cfg.Traces != "" {
		t.Errorf("switched off: traces to %q, error %v", cfg.Traces, err)
	}
}
