package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/trace"
)

// linkBytes is the length of a link: trace id, span id, flags.
const linkBytes = 16 + 8 + 1

// linkTo is how a commit's record names its span.
func linkTo(at trace.SpanContext) []byte {
	if !at.IsSampled() {
		return nil
	}
	id, span := at.TraceID(), at.SpanID()
	link := append(make([]byte, 0, linkBytes), id[:]...)
	return append(append(link, span[:]...), byte(at.TraceFlags()))
}

// follow is the span that link names; not valid if it names none.
func follow(link []byte) trace.SpanContext {
	if len(link) != linkBytes {
		return trace.SpanContext{}
	}
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID(link[:16]), SpanID: trace.SpanID(link[16:24]), TraceFlags: trace.TraceFlags(link[24]), Remote: true,
	})
}

// below is a context for spans below at. Those of a commit outlive the calls
// that cause them, and must not end with one.
func below(at trace.SpanContext) context.Context {
	return trace.ContextWithSpanContext(context.Background(), at)
}
