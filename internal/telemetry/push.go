package telemetry

import (
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/xds"
)

// Attributes of the fan-out's spans.
const (
	nodeKey  = attribute.Key("deltaplane.node")
	typeKey  = attribute.Key("deltaplane.type")
	bytesKey = attribute.Key("deltaplane.bytes")
)

// maxText bounds texts that come from outside, in bytes.
const maxText = 256

// show makes the spans of one push that was answered: the push, and below it
// send, until the connection had all of it, and ack or nack, until the answer
// came.
func (d *delivery) show(e xds.Event) {
	ctx, push := d.tracer.Start(below(d.span.SpanContext()), "push", trace.WithTimestamp(e.SentAt), trace.WithSpanKind(trace.SpanKindProducer),
		trace.WithAttributes(versionKey.Int64(int64(e.Version)), nodeKey.String(clip(e.Node.GetId())), typeKey.String(clip(e.Type.Short()))))
	taken := e.Transmitted
	if taken.IsZero() || taken.After(e.Time) { // the answer was faster than the word of the connection
		taken = e.Time
	}
	_, send := d.tracer.Start(ctx, "send", trace.WithTimestamp(e.SentAt))
	send.End(trace.WithTimestamp(taken))
	name := "ack"
	if e.Kind == xds.Refused {
		name = "nack"
	}
	_, answer := d.tracer.Start(ctx, name, trace.WithTimestamp(taken))
	if e.Kind == xds.Refused {
		reason := ""
		if e.Type != resource.Secret { // Envoy may quote what it refuses
			reason = clip(e.Detail)
		}
		answer.SetStatus(codes.Error, reason)
		push.SetStatus(codes.Error, "refused")
	}
	answer.End(trace.WithTimestamp(e.Time))
	push.End(trace.WithTimestamp(e.Time))
}

// clip bounds a text that comes from outside, and makes it UTF-8, without
// which a whole batch of spans could not be sent.
func clip(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), maxText)], "")
}
