package bench

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane/bench/hops"
)

// plainAPI answers as a control plane would.
func plainAPI(t *testing.T, answer http.HandlerFunc) *api {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	a := &api{url: server.URL}
	t.Cleanup(a.close)
	return a
}

func TestAChangeIsStoredAsLongBeforeItsAnswerAsTheAcknowledgementsTook(t *testing.T) {
	a := plainAPI(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("wait") == "" || r.URL.Query().Get("owner") != "me" {
			http.Error(w, "the query is "+r.URL.RawQuery, http.StatusBadRequest)
			return
		}
		w.Header().Set("Server-Timing", "commit;dur=2.125, ack;dur=1500.5")
		fmt.Fprint(w, "{}")
	})
	d, err := a.commit(t.Context(), call{"/v1/patch", url.Values{"owner": {"me"}}, []byte("{}")}, hops.Trace{})
	if err != nil {
		t.Fatal(err)
	}
	if got := d.acked.Sub(d.stored); got != 1500500*time.Microsecond {
		t.Errorf("stored %v before it was acknowledged, want 1.5005s", got)
	}
}

func TestARefusedChangeIsAnErrorWithTheAnswer(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"no such host":  func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no such host", http.StatusNotFound) },
		"Server-Timing": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") },
		"ack;dur=soon": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Server-Timing", "ack;dur=soon")
			fmt.Fprint(w, "{}")
		},
	} {
		if _, err := plainAPI(t, answer).commit(t.Context(), call{"/v1/patch", url.Values{}, nil}, hops.Trace{}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error is %v, want one with %q", err, name)
		}
	}
}

func TestCountersAreTheSumsOfTheirMetrics(t *testing.T) {
	a := plainAPI(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `# TYPE deltaplane_response_bytes_total counter
deltaplane_response_bytes_total{type="Cluster"} 100
deltaplane_response_bytes_total{type="RouteConfiguration"} 1.5e+06
deltaplane_commit_etcd_seconds_bucket{le="0.001"} 3
deltaplane_commit_etcd_seconds_sum 0.25
deltaplane_commit_etcd_seconds_count 9
deltaplane_commit_seconds_sum 4
process_cpu_seconds_total 1.25
process_resident_memory_bytes 4.096e+06
`)
	})
	got, err := a.counters(t.Context())
	if want := (counters{bytes: 1500100, etcd: 0.25, commits: 9, cpu: 1.25, rss: 4096000}); err != nil || got != want {
		t.Errorf("counters %+v, error %v; want %+v", got, err, want)
	}
	if _, err := readCounters("deltaplane_response_bytes_total many\n"); err == nil {
		t.Error("a counter that is no number is no error")
	}
	if _, err := readCounters("other 1\n"); err == nil {
		t.Error("metrics without the counters are no error")
	}
}
