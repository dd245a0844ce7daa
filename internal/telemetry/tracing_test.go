package telemetry

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/internal/otlptest"
	"github.com/deltaplane/deltaplane/xds"
)

func TestSpansArriveOverEitherProtocol(t *testing.T) {
	receiver := otlptest.Start(t)
	for protocol, endpoint := range map[string]string{overGRPC: receiver.GRPC, overHTTP: receiver.HTTP} {
		t.Run(protocol, func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
			t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
			t.Setenv("OTEL_SERVICE_NAME", protocol)
			tracing, err := Start(t.Context(), Config{Endpoint: endpoint, Version: "v1"})
			if err != nil {
				t.Fatal(err)
			}
			id := commitTraced(t.Context(), tracing, 1).String()
			if err := tracing.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			spans, _ := receiver.Spans()
			commit := spans.Of(id).Named("commit")
			if len(commit) != 1 {
				t.Fatalf("of the trace %s came:\n%s", id, spans)
			}
			if n := len(spans.Below(commit[0])); n != 3 {
				t.Errorf("below the commit are %d spans, want store, publish and deliver:\n%s", n, spans)
			}
			about := commit[0].About
			if about["service.name"] != protocol || about["service.version"] != "v1" || about["deployment.environment.name"] != "test" {
				t.Errorf("the spans are of %v", about)
			}
		})
	}
}

// The receiver takes connections and never answers.
func TestAReceiverThatDoesNotAnswerHoldsNothingUp(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, protocol := range []string{overGRPC, overHTTP} {
		t.Run(protocol, func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
			t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "1")
			t.Setenv("OTEL_BSP_MAX_QUEUE_SIZE", "16")
			tracing, err := Start(t.Context(), Config{Endpoint: "http://" + silent.Addr().String()})
			if err != nil {
				t.Fatal(err)
			}
			now := time.Now()
			for v := range deltaplane.Version(1000) { // many more spans than the queue holds
				commitTraced(t.Context(), tracing, v+1)
				tracing.XDS().Pushed(push(xds.Acked, "a", v+1, now, now))
			}
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			_ = tracing.Close(ctx) // returns, which is what this is about; and TestMain looks for goroutines
			if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				t.Error("all was sent to a receiver that does not answer")
			}
		})
	}
}

func TestARequestContinuesTheTraceOfItsHeaders(t *testing.T) {
	tracing, spans := inMemory(t)
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost/v1/apply", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Traceparent", parent)
	ctx, end := tracing.API().Request(r, "POST /v1/apply")
	tracing.API().Validate(ctx)(errors.New("no"))
	commitTraced(ctx, tracing, 1)
	end(http.StatusOK)
	if err := tracing.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, s := range spans.Ended() {
		if id := s.SpanContext().TraceID().String(); id != "0af7651916cd43dd8448eb211c80319c" {
			t.Errorf("%s is in the trace %s", s.Name(), id)
		}
	}
	request := named(spans, "POST /v1/apply")
	if len(request) != 1 || request[0].Parent().SpanID().String() != "b7ad6b7169203331" || attributes(request[0])["http.route"] != "/v1/apply" {
		t.Errorf("the request's spans are %v", request)
	}
	// A caller that does not sample decides for us.
	r.Header.Set("Traceparent", parent[:len(parent)-1]+"0")
	if ctx, _ := tracing.API().Request(r, "POST /v1/apply"); linkOf(ctx, tracing) != nil {
		t.Error("a commit is sampled although its caller is not")
	}
}

func linkOf(ctx context.Context, t *Tracing) []byte {
	_, span := t.Store().Commit(ctx)
	return span.Link()
}

func TestACommandPassesItsTraceOn(t *testing.T) {
	t.Setenv("TRACEPARENT", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	for _, tracing := range []*Tracing{nil, first2(inMemory(t))} {
		ctx, end := tracing.Command(t.Context(), "deltaplane apply")
		h := http.Header{}
		Inject(ctx, h)
		end(nil)
		got := h.Get("Traceparent")
		if len(got) != 55 || got[:36] != "00-0af7651916cd43dd8448eb211c80319c-" {
			t.Errorf("the request carries %q", got)
		}
		if own := got[36:52] != "b7ad6b7169203331"; own != (tracing != nil) {
			t.Errorf("the request carries %q: the span of a command that makes none, or the other way round", got)
		}
	}
}

func first2[A, B any](a A, _ B) A { return a }
