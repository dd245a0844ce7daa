package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane/internal/otlptest"
)

// applyCluster runs `deltaplane apply` in this process, on a cluster.
func applyCluster(t *testing.T, api string) (code int, output string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "input.yaml")
	const cluster = `{"@type": type.googleapis.com/envoy.config.cluster.v3.Cluster, name: pay, type: STATIC, connect_timeout: 1s}`
	if err := os.WriteFile(file, []byte(cluster), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	term := &terminal{in: strings.NewReader(""), out: &out, err: &out}
	return term.run(t.Context(), []string{"apply", "-f", file, "--server", api}), out.String()
}

// What a commit leaves behind leads to its trace: lines of the log, and the
// latencies in the metrics.
func TestLogAndMetricsOfACommitLeadToItsTrace(t *testing.T) {
	receiver := otlptest.Start(t)
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
	s := serveInProcess(t, "--otlp-endpoint="+receiver.GRPC, "--log-level=debug")
	ctx, hangUp := context.WithCancel(t.Context())
	for node, refuse := range map[string]bool{"edge-1": false, "edge-2": true} {
		p, err := dialProxy(ctx, s.xds, node, refuse)
		if err != nil {
			t.Fatal(err)
		}
		defer p.wait()
	}
	defer hangUp()
	if code, output := applyCluster(t, s.api); code != exitFine {
		t.Fatalf("apply: %s", output)
	}
	awaited := map[string]int{"committed": 1, "response sent": 2, "response accepted": 1, "response refused": 1}
	ids := map[string]bool{}
	for len(awaited) > 0 {
		line, ok := <-s.lines
		if !ok {
			t.Fatalf("the log ended without lines of %v", awaited)
		}
		var record struct {
			Msg, Level string
			Version    int
			TraceID    string `json:"trace_id"`
			SpanID     string `json:"span_id"`
			Flags      string `json:"trace_flags"`
		}
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if record.Version != 1 || awaited[record.Msg] == 0 {
			continue
		}
		if awaited[record.Msg]--; awaited[record.Msg] == 0 {
			delete(awaited, record.Msg)
		}
		if len(record.TraceID) != 32 || len(record.SpanID) != 16 || record.Flags != "01" {
			t.Errorf("a line of the commit is %s", line)
		}
		ids[record.TraceID] = true
	}
	if len(ids) != 1 {
		t.Errorf("the lines lead to the traces %v, want one", ids)
	}
	for id := range ids {
		metrics := openMetrics(t, s.api)
		for _, name := range []string{"deltaplane_commit_ack_seconds", "deltaplane_ack_seconds", "deltaplane_push_seconds"} {
			if !hasExemplar(metrics, name, id) {
				t.Errorf("no bucket of %s leads to the trace %s", name, id)
			}
		}
		s.interrupt()
		if code := <-s.code; code != exitFine {
			t.Errorf("serve ends with %d", code)
		}
		if spans, _ := receiver.Spans(); len(spans.Of(id).Named("nack")) != 1 || len(spans.Of(id).Named("deliver")) != 1 {
			t.Errorf("at the end of the control plane the receiver has\n%s", spans)
		}
	}
}

// openMetrics is /metrics in the format that has exemplars.
func openMetrics(t *testing.T, api string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, api+"/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func hasExemplar(metrics, name, id string) bool {
	for line := range strings.Lines(metrics) {
		if strings.HasPrefix(line, name+"_bucket{") && strings.Contains(line, `# {trace_id="`+id+`"}`) {
			return true
		}
	}
	return false
}

// The receiver of traces takes connections and never answers, or is not there.
func TestAReceiverOfTracesThatIsAwayChangesNothing(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for name, at := range map[string]net.Addr{"silent": silent.Addr(), "closed": closed.Addr()} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+at.String())
			t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "1")
			s := serveInProcess(t)
			if code, output := applyCluster(t, s.api); code != exitFine {
				t.Errorf("apply ends with %d: %s", code, output)
			}
			if status, body := get(t, s.api+"/readyz"); status != http.StatusOK {
				t.Errorf("/readyz answers %d: %s", status, body)
			}
			s.interrupt()
			if code := <-s.code; code != exitFine {
				t.Errorf("serve ends with %d", code)
			}
		})
	}
}

func TestAnExporterThatIsNotThereIsAnErrorOfUsage(t *testing.T) {
	t.Setenv("OTEL_TRACES_EXPORTER", "zipkin")
	code, output := applyCluster(t, "http://127.0.0.1:1")
	if code != exitUsage || !strings.Contains(output, "OTEL_TRACES_EXPORTER=zipkin: expected otlp or none") {
		t.Errorf("apply ends with %d: %s", code, output)
	}
}
