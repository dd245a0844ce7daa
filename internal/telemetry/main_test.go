package telemetry

import (
	"context"
	"testing"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/xds"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// inMemory is a Tracing whose spans can be looked at once it is closed.
func inMemory(t testing.TB, options ...sdk.TracerProviderOption) (*Tracing, *tracetest.SpanRecorder) {
	t.Helper()
	spans := tracetest.NewSpanRecorder()
	life, kill := context.WithCancel(context.Background())
	tracing := start(life, kill, append(options, sdk.WithSpanProcessor(spans))...)
	t.Cleanup(func() { _ = tracing.Close(context.Background()) })
	return tracing, spans
}

// commitTraced is a commit of version v, up to its publication, and the id of
// its trace.
func commitTraced(ctx context.Context, t *Tracing, v deltaplane.Version) trace.TraceID {
	began := time.Now()
	ctx, span := t.Store().Commit(ctx)
	span.Stored(began, nil)
	t.Store().Published(deltaplane.Publication{Version: v, Link: span.Link(), Own: true, Committed: began, Seen: began, Ready: began})
	span.End(v, nil)
	return trace.SpanContextFromContext(ctx).TraceID()
}

// push is an event about a response with news of v, which was sent at the
// given time.
func push(kind xds.Kind, node string, v deltaplane.Version, sent, now time.Time) xds.Event {
	return xds.Event{
		Kind: kind, Node: &corev3.Node{Id: node}, Type: resource.Cluster, Version: v, After: v - 1, Pushed: true, Bytes: 100,
		SentAt: sent, Transmitted: sent.Add(now.Sub(sent) / 2), Time: now,
	}
}

// named are the recorded spans called name.
func named(spans *tracetest.SpanRecorder, name string) []sdk.ReadOnlySpan {
	var some []sdk.ReadOnlySpan
	for _, s := range spans.Ended() {
		if s.Name() == name {
			some = append(some, s)
		}
	}
	return some
}

// attributes of a span, as text.
func attributes(s sdk.ReadOnlySpan) map[string]string {
	attrs := map[string]string{}
	for _, kv := range s.Attributes() {
		attrs[string(kv.Key)] = kv.Value.String()
	}
	return attrs
}
