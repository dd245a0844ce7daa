package telemetry

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/trace"
)

// LogHandler adds trace_id, span_id and trace_flags to the lines of whatever
// logs within a span, at the top level also of loggers with groups. Without
// Tracing it is h.
func (t *Tracing) LogHandler(h slog.Handler) slog.Handler {
	if t == nil {
		return h
	}
	return &logHandler{Handler: h}
}

type logHandler struct {
	slog.Handler
	outer slog.Handler                      // before the first group; nil without one
	since []func(slog.Handler) slog.Handler // what makes Handler of outer
}

// Handle is part of slog.Handler.
func (h *logHandler) Handle(ctx context.Context, r slog.Record) error {
	at := trace.SpanContextFromContext(ctx)
	if !at.IsValid() {
		return h.Handler.Handle(ctx, r)
	}
	attrs := []slog.Attr{
		slog.String("trace_id", at.TraceID().String()), slog.String("span_id", at.SpanID().String()),
		slog.String("trace_flags", at.TraceFlags().String()),
	}
	if h.outer == nil {
		r = r.Clone()
		r.AddAttrs(attrs...)
		return h.Handler.Handle(ctx, r)
	}
	inner := h.outer.WithAttrs(attrs)
	for _, step := range h.since {
		inner = step(inner)
	}
	return inner.Handle(ctx, r)
}

// WithAttrs is part of slog.Handler.
func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if h.outer == nil {
		return &logHandler{Handler: h.Handler.WithAttrs(attrs)}
	}
	return h.then(func(inner slog.Handler) slog.Handler { return inner.WithAttrs(attrs) })
}

// WithGroup is part of slog.Handler.
func (h *logHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return h.then(func(inner slog.Handler) slog.Handler { return inner.WithGroup(name) })
}

// then is h with one more step inside a group.
func (h *logHandler) then(step func(slog.Handler) slog.Handler) *logHandler {
	outer := h.outer
	if outer == nil {
		outer = h.Handler
	}
	return &logHandler{step(h.Handler), outer, append(h.since[:len(h.since):len(h.since)], step)}
}
