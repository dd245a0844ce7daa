package telemetry

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// w3c reads and writes traceparent and tracestate headers.
var w3c propagation.TraceContext

// requests is the API's Tracer.
type requests struct{ *Tracing }

// Request is part of api.Tracer.
func (q requests) Request(r *http.Request, route string) (context.Context, func(int)) {
	ctx := w3c.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	ctx, span := q.tracer.Start(ctx, route, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		attribute.String("http.request.method", r.Method), attribute.String("http.route", route[len(r.Method)+1:]),
	))
	return ctx, func(status int) {
		span.SetAttributes(attribute.Int("http.response.status_code", status))
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

// Validate is part of api.Tracer.
func (q requests) Validate(ctx context.Context) func(error) {
	_, span := q.tracer.Start(ctx, "validate")
	return func(err error) {
		fail(span, err)
		span.End()
	}
}

// Command begins the span of a command that changes something, and returns a
// context whose requests carry it. It continues the trace of the environment's
// TRACEPARENT, if there is one.
func (t *Tracing) Command(ctx context.Context, name string) (context.Context, func(error)) {
	ctx = FromEnvironment(ctx)
	if t == nil {
		return ctx, func(error) {}
	}
	ctx, span := t.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient))
	return ctx, func(err error) {
		fail(span, err)
		span.End()
	}
}

// FromEnvironment is ctx within the trace that TRACEPARENT names, as scripts
// and CI systems set it; ctx itself without one.
func FromEnvironment(ctx context.Context) context.Context {
	return w3c.Extract(ctx, propagation.MapCarrier{"traceparent": first("TRACEPARENT"), "tracestate": first("TRACESTATE")})
}

// Inject writes the trace of ctx, if it has one, into the headers of a request.
func Inject(ctx context.Context, h http.Header) { w3c.Inject(ctx, propagation.HeaderCarrier(h)) }
