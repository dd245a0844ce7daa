package hops

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane/bench/probe"
	"github.com/deltaplane/deltaplane/bench/relay"
)

func TestHopsAreThoseOfTheCommitsThatWereAskedForSince(t *testing.T) {
	s, err := Receive(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	span := func(trace, name string, from, to int) *tracev1.Span {
		at := func(us int) uint64 { return uint64(began.Add(time.Duration(us) * time.Microsecond).UnixNano()) }
		s := &tracev1.Span{TraceId: []byte(trace), Name: name, StartTimeUnixNano: at(from), EndTimeUnixNano: at(to)}
		if from == 1500 { // a push and, below it, its parts
			s.SpanId, s.Attributes = []byte("push-1500"), []*common.KeyValue{text("deltaplane.node", "edge-1"), text("deltaplane.type", "Route")}
			s.ParentSpanId = s.SpanId
		}
		return s
	}
	post := func(body []byte) int {
		t.Helper()
		resp, err := http.Post(s.URL()+"/v1/traces", "application/x-protobuf", bytes.NewReader(body))
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
	// A relay has dated when the push of 1500 had arrived, and something else.
	s.Received(Trace{id: "a"}, [][]relay.Response{{
		{Type: "type.googleapis.com/envoy.config.route.v3.RouteConfiguration", Received: began.Add(1560 * time.Microsecond)},
		{Type: "type.googleapis.com/envoy.config.route.v3.RouteConfiguration", Received: began.Add(time.Hour)},
		{Type: "type.googleapis.com/envoy.config.cluster.v3.Cluster", Received: began.Add(time.Hour)},
	}}, func(int) string { return "edge-1" })
	h := s.Since(began)
	near := func(got, want float64) bool { return got > want*0.99 && got < want*1.01 }
	if h.Dispatch.Count != 1 || !near(h.Dispatch.Max, 1000) || h.Server.Count != 1 || !near(h.Server.Max, 40) || h.Ack.Count != 1 || !near(h.Ack.Max, 360) || h.Receive.Count != 1 || !near(h.Receive.Max, 20) {
		t.Errorf("hops %+v, want 1000, 40, 20 and 360 µs", h)
	}
	http.DefaultClient.CloseIdleConnections()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// collectorOf is a receiver of traces that keeps the last span of each name.
func collectorOf(t *testing.T, status int) (url string, spans func() map[string]*tracev1.Span) {
	t.Helper()
	var mu sync.Mutex
	all := map[string]*tracev1.Span{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var export collector.ExportTraceServiceRequest
		if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &export) != nil {
			t.Errorf("%s is no export of traces: %v", r.URL, err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, of := range export.ResourceSpans {
			for _, span := range of.ScopeSpans[0].Spans {
				all[span.Name] = span
			}
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	return server.URL, func() map[string]*tracev1.Span {
		mu.Lock()
		defer mu.Unlock()
		return maps.Clone(all)
	}
}

func TestTheFirstRequestIsInTheTraceOfItsChange(t *testing.T) {
	url, spans := collectorOf(t, http.StatusOK)
	s, err := Receive(t.Context(), url+"/")
	if err != nil {
		t.Fatal(err)
	}
	one, sent := NewTrace(), time.Now()
	at := func(from, to time.Duration) probe.Answer {
		return probe.Answer{Sent: sent.Add(from), Received: sent.Add(to)}
	}
	s.Add(t.Context(), one, sent, []probe.Switch{
		{LastOld: at(-time.Second, 1), FirstNew: at(3, 7)}, {FirstNew: at(4, 5)},
	}, func(i int) string { return fmt.Sprint("node-", i) })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	got := spans()
	change, first := got["change"], got["first request"]
	if len(got) != 2 || change == nil || first == nil {
		t.Fatalf("spans %v", got)
	}
	if want := fmt.Sprintf("00-%x-%x-01", change.TraceId, change.SpanId); want != one.Parent() || len(want) != 55 {
		t.Errorf("the control plane gets %s, the trace is %s", one.Parent(), want)
	}
	if !bytes.Equal(first.TraceId, change.TraceId) || !bytes.Equal(first.ParentSpanId, change.SpanId) || change.EndTimeUnixNano-change.StartTimeUnixNano != 7 {
		t.Errorf("change %v, first request %v", change, first)
	}
	if (Trace{}).Parent() != "" {
		t.Error("no trace has a parent")
	}
}

func TestAReceiverThatTakesNoTracesIsToldOf(t *testing.T) {
	url, _ := collectorOf(t, http.StatusBadGateway)
	if _, err := Receive(t.Context(), url); !errors.Is(err, ErrNoReceiver) || !strings.Contains(err.Error(), "502") {
		t.Errorf("at the start: %v", err)
	}
}
