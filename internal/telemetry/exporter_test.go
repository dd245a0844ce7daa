package telemetry

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Over HTTP the TLS settings are read here, not by the exporter.
func TestAReceiverIsTrustedAsTheEnvironmentSays(t *testing.T) {
	arrived := make(chan string, 10)
	receiver := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { arrived <- r.Header.Get("X-Team") }))
	defer receiver.Close()
	authority := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: receiver.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.URL)
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-team=edge")
	for _, trusted := range []bool{true, false} {
		t.Setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", map[bool]string{true: authority}[trusted])
		tracing, err := Start(t.Context(), Config{Once: true})
		if err != nil {
			t.Fatal(err)
		}
		commitTraced(t.Context(), tracing, 1)
		_ = tracing.Close(t.Context()) // without an answer to what it could not send
		if got := len(arrived); (got > 0) != trusted {
			t.Errorf("trusted: %t; %d batches have arrived", trusted, got)
		}
		for range len(arrived) {
			if team := <-arrived; team != "edge" {
				t.Errorf("a batch came with the header %q", team)
			}
		}
	}
}

func TestSettingsThatCannotBeUsedAreErrors(t *testing.T) {
	for name, value := range map[string]string{
		"OTEL_EXPORTER_OTLP_TIMEOUT": "soon", "OTEL_EXPORTER_OTLP_CERTIFICATE": "/does/not/exist", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": "/does/not/exist",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			tracing, err := Start(t.Context(), Config{Endpoint: "http://127.0.0.1:4318"})
			if tracing != nil || err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}
