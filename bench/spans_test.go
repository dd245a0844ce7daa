package bench

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

func TestHopsAreThoseOfTheCommitsThatWereAskedForSince(t *testing.T) {
	s, err := receiveSpans()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	span := func(trace, name string, from, to int) *tracev1.Span {
		at := func(us int) uint64 { return uint64(began.Add(time.Duration(us) * time.Microsecond).UnixNano()) }
		return &tracev1.Span{TraceId: []byte(trace), Name: name, StartTimeUnixNano: at(from), EndTimeUnixNano: at(to)}
	}
	post := func(body []byte) int {
		t.Helper()
		resp, err := http.Post(s.url()+"/v1/traces", "application/x-protobuf", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	// The spans of one commit come in any order, and in several requests.
	for _, some := range [][]*tracev1.Span{
		{span("a", "push", 2000, 9000), span("a", "send", 1500, 1540), span("old", "POST /v1/apply", -50, 1), span("old", "push", 1, 2)},
		{span("a", "push", 1500, 1900), span("a", "ack", 1540, 1900), span("a", "POST /v1/patch", 500, 9000), span("b", "POST /v1/patch", 10, 20)},
	} {
		body, err := proto.Marshal(&collector.ExportTraceServiceRequest{ResourceSpans: []*tracev1.ResourceSpans{{ScopeSpans: []*tracev1.ScopeSpans{{Spans: some}}}}})
		if err != nil {
			t.Fatal(err)
		}
		if status := post(body); status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
	}
	if status := post([]byte("text")); status != http.StatusBadRequest {
		t.Errorf("what is no trace has status %d", status)
	}
	h := s.hops(began)
	near := func(got, want float64) bool { return got > want*0.99 && got < want*1.01 }
	if h.Dispatch.Count != 1 || !near(h.Dispatch.Max, 1000) || h.Server.Count != 1 || !near(h.Server.Max, 40) || h.Ack.Count != 1 || !near(h.Ack.Max, 360) {
		t.Errorf("hops %+v, want 1000, 40 and 360 µs", h)
	}
	http.DefaultClient.CloseIdleConnections()
	if err := s.close(); err != nil {
		t.Error(err)
	}
}
