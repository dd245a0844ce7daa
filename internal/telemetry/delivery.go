package telemetry

import (
	"context"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/xds"
)

// How many spans the delivery of one version has at most on one replica,
// however many proxies there are: maxWork of diffs and of encodings together,
// three for each push of the first, of the slowest, and of those refused, and
// one for itself.
const (
	maxFirst   = 8
	maxSlowest = 4
	maxRefused = 8
	maxWork    = 16
)

// delivery follows one version from its publication to the proxies' answers.
// Its span has the counts and percentiles of all pushes; only some have spans
// of their own, made when they have been answered.
//
// INVARIANT: its memory and its spans do not grow with the number of proxies.
type delivery struct {
	// Fixed at birth.
	tracer  trace.Tracer
	version deltaplane.Version
	span    trace.Span
	id      string    // of the trace
	began   time.Time // what latencies count from

	mu       sync.Mutex // guards what follows
	closed   bool
	last     time.Time // when something happened last
	count    struct{ sent, acked, refused, merged, bytes, first, work int }
	latency  *hdrhistogram.Histogram // from began to the answer, in microseconds
	slowest  []xds.Event             // answers without a span, the slowest first
	slowness time.Duration           // of the slowest answer of all
}

// newDelivery begins one below the span of ctx. Latencies count from the
// commit, by its committer's clock, unless that is ahead of ours.
func newDelivery(ctx context.Context, tracer trace.Tracer, p deltaplane.Publication, at time.Time) *delivery {
	d := &delivery{tracer: tracer, version: p.Version, began: p.Committed, last: at}
	if d.began.After(p.Seen) {
		d.began = p.Seen
	}
	_, d.span = tracer.Start(ctx, "deliver", trace.WithTimestamp(at), trace.WithAttributes(versionKey.Int64(int64(p.Version))))
	d.id = d.span.SpanContext().TraceID().String()
	return d
}

// over reports whether nothing more is to be expected.
func (d *delivery) over(now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	answered := d.count.sent == d.count.acked+d.count.refused
	return answered && now.Sub(d.last) > quiet || now.Sub(d.began) > longest
}

// worked takes in work for all streams.
func (d *delivery) worked(w xds.Work) {
	d.mu.Lock()
	d.last = w.Ended
	d.count.work++
	show := !d.closed && d.count.work <= maxWork
	d.mu.Unlock()
	if !show {
		return
	}
	attrs := make([]attribute.KeyValue, 0, 3)
	attrs = append(attrs, versionKey.Int64(int64(d.version)))
	if w.Type != "" {
		attrs = append(attrs, typeKey.String(w.Type.Short()))
	}
	if w.Kind == xds.Encoded {
		attrs = append(attrs, bytesKey.Int(w.Bytes))
	}
	d.child(workNames[w.Kind], w.Began, w.Ended, attrs...)
}

var workNames = [...]string{xds.Derived: "derive", xds.Diffed: "diff", xds.Encoded: "encode"}

// pushed takes in an event of a push, and reports whether it is worth looking
// up: it has a span, or will have one unless slower ones follow.
func (d *delivery) pushed(e xds.Event) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	d.last = e.Time
	switch e.Kind {
	case xds.Sent:
		d.count.sent++
		d.count.bytes += e.Bytes
		if e.Version > d.version {
			d.count.merged++
		}
		return d.count.sent <= maxFirst
	case xds.Refused:
		d.count.refused++
		if d.count.refused <= maxRefused {
			d.show(e)
			return true
		}
		return false
	}
	d.count.acked++
	return d.accepted(e)
}

// accepted takes in an acknowledgement. d.mu is held.
func (d *delivery) accepted(e xds.Event) bool {
	took := max(e.Time.Sub(d.began), 0)
	if d.latency == nil {
		d.latency = hdrhistogram.New(1, time.Minute.Microseconds(), 2)
	}
	_ = d.latency.RecordValue(min(took, time.Minute).Microseconds()) // in range
	slower := took > d.slowness
	d.slowness = max(took, d.slowness)
	if d.count.first < maxFirst {
		d.count.first++
		d.show(e)
		return true
	}
	at := len(d.slowest)
	for at > 0 && e.Time.After(d.slowest[at-1].Time) {
		at--
	}
	if at < maxSlowest {
		d.slowest = append(d.slowest, xds.Event{})
		copy(d.slowest[at+1:], d.slowest[at:])
		d.slowest[at] = e
		d.slowest = d.slowest[:min(len(d.slowest), maxSlowest)]
	}
	return slower
}

// close ends the delivery's span: where the last thing happened, not where
// that was noticed.
func (d *delivery) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	for _, e := range d.slowest {
		d.show(e)
	}
	c := d.count
	d.span.SetAttributes(
		attribute.Int("deltaplane.push.sent", c.sent), attribute.Int("deltaplane.push.acked", c.acked),
		attribute.Int("deltaplane.push.refused", c.refused), attribute.Int("deltaplane.push.unanswered", c.sent-c.acked-c.refused),
		attribute.Int("deltaplane.push.merged", c.merged), bytesKey.Int(c.bytes),
	)
	if h := d.latency; h != nil {
		d.span.SetAttributes(
			attribute.Float64("deltaplane.ack.p50_ms", ms(h.ValueAtPercentile(50))), attribute.Float64("deltaplane.ack.p90_ms", ms(h.ValueAtPercentile(90))),
			attribute.Float64("deltaplane.ack.p99_ms", ms(h.ValueAtPercentile(99))), attribute.Float64("deltaplane.ack.max_ms", ms(d.slowness.Microseconds())),
		)
	}
	if c.refused > 0 {
		d.span.SetStatus(codes.Error, "refused by a proxy")
	}
	d.span.End(trace.WithTimestamp(d.last))
}

func ms(microseconds int64) float64 { return float64(microseconds) / 1000 }

// child makes a span below the delivery's, of what is over.
func (d *delivery) child(name string, began, ended time.Time, attrs ...attribute.KeyValue) {
	_, span := d.tracer.Start(below(d.span.SpanContext()), name, trace.WithTimestamp(began), trace.WithAttributes(attrs...))
	span.End(trace.WithTimestamp(ended))
}
