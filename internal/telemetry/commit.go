package telemetry

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/deltaplane/deltaplane"
)

// commits is the store's Tracer.
type commits struct{ *Tracing }

// Commit is part of deltaplane.Tracer.
func (c commits) Commit(ctx context.Context) (context.Context, deltaplane.CommitSpan) {
	ctx, span := c.tracer.Start(ctx, "commit")
	return ctx, &commit{span, c.tracer}
}

// Published is part of deltaplane.Tracer.
func (c commits) Published(p deltaplane.Publication) {
	at := follow(p.Link)
	if !at.IsSampled() {
		return
	}
	now := time.Now()
	ctx := below(at)
	version := trace.WithAttributes(versionKey.Int64(int64(p.Version)))
	if !p.Own {
		_, watch := c.tracer.Start(ctx, "watch", trace.WithTimestamp(p.Seen), version)
		watch.End(trace.WithTimestamp(p.Ready))
	}
	began := p.Ready
	if p.Own {
		began = p.Seen
	}
	_, publish := c.tracer.Start(ctx, "publish", trace.WithTimestamp(began), version)
	publish.End(trace.WithTimestamp(now))
	if publish.SpanContext().IsSampled() { // our own sampler may decline what another replica samples
		c.board.open(ctx, p, now)
	}
}

// versionKey is the attribute that all spans of one commit share.
const versionKey = attribute.Key("deltaplane.version")

// commit is one call of Store.Commit.
type commit struct {
	span   trace.Span
	tracer trace.Tracer
}

// Link is part of deltaplane.CommitSpan.
func (c *commit) Link() []byte { return linkTo(c.span.SpanContext()) }

// Stored is part of deltaplane.CommitSpan.
func (c *commit) Stored(began time.Time, err error) {
	_, span := c.tracer.Start(below(c.span.SpanContext()), "store", trace.WithTimestamp(began),
		trace.WithAttributes(attribute.String("db.system.name", "etcd")))
	if err != nil { // etcd's own words, which quote no configuration
		span.SetStatus(codes.Error, clip(err.Error()))
	}
	span.End()
}

// End is part of deltaplane.CommitSpan.
func (c *commit) End(v deltaplane.Version, err error) {
	if err == nil {
		c.span.SetAttributes(versionKey.Int64(int64(v)))
	}
	fail(c.span, err)
	c.span.End()
}

// fail marks a span as failed. What was wrong is in the answer to who asked:
// its text may quote what users wrote.
func fail(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, "")
	}
}
