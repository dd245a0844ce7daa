// Package otlptest receives OpenTelemetry traces in tests, as a collector
// would: OTLP over gRPC, and over HTTP.
package otlptest

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// Receiver keeps all spans that it is sent.
type Receiver struct {
	collector.UnimplementedTraceServiceServer

	GRPC, HTTP string // URLs

	mu      sync.Mutex
	spans   []Span
	changed chan struct{} // closed at the next span
}

// Start receives until the test ends.
func Start(t testing.TB) *Receiver {
	t.Helper()
	r := &Receiver{changed: make(chan struct{})}
	overGRPC, overHTTP := listen(t), listen(t)
	r.GRPC, r.HTTP = "http://"+overGRPC.Addr().String(), "http://"+overHTTP.Addr().String()
	rpc := grpc.NewServer()
	collector.RegisterTraceServiceServer(rpc, r)
	web := &http.Server{Handler: http.HandlerFunc(r.post), ReadHeaderTimeout: time.Minute}
	var serving sync.WaitGroup
	serving.Go(func() { _ = rpc.Serve(overGRPC) }) // until stopped
	serving.Go(func() { _ = web.Serve(overHTTP) })
	t.Cleanup(func() {
		rpc.Stop()
		_ = web.Close() // of listeners and connections that are done with
		serving.Wait()
	})
	return r
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Export is part of the collector's service.
func (r *Receiver) Export(_ context.Context, req *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	r.take(req)
	return &collector.ExportTraceServiceResponse{}, nil
}

// post is Export over HTTP.
func (r *Receiver) post(w http.ResponseWriter, hr *http.Request) {
	body, err := io.ReadAll(hr.Body)
	var req collector.ExportTraceServiceRequest
	if err != nil || hr.URL.Path != "/v1/traces" || proto.Unmarshal(body, &req) != nil {
		http.Error(w, "no traces", http.StatusBadRequest)
		return
	}
	r.take(&req)
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func (r *Receiver) take(req *collector.ExportTraceServiceRequest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, of := range req.GetResourceSpans() {
		about := attributes(of.GetResource().GetAttributes())
		for _, scope := range of.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				r.spans = append(r.spans, spanOf(s, about))
			}
		}
	}
	close(r.changed)
	r.changed = make(chan struct{})
}

// Spans are those so far, and a channel that closes when there are more.
func (r *Receiver) Spans() (Trace, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append(Trace(nil), r.spans...), r.changed
}

// Wait returns the spans once enough accepts them.
func (r *Receiver) Wait(t testing.TB, enough func(Trace) bool) Trace {
	t.Helper()
	late := time.After(30 * time.Second)
	for {
		spans, changed := r.Spans()
		if enough(spans) {
			return spans
		}
		select {
		case <-changed:
		case <-late:
			t.Fatalf("what is awaited has not come; the spans so far:\n%s", spans)
		}
	}
}
