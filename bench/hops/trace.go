package hops

import (
	"crypto/rand"
	"fmt"
	"time"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/deltaplane/deltaplane/bench/probe"
)

// Trace is that of one change. A bench begins it, the control plane goes on
// with it, and it ends with the first request under the new configuration. The
// zero Trace is none.
type Trace struct{ id, root string } // bytes

// NewTrace begins one.
func NewTrace() Trace { return Trace{random(16), random(8)} }

func random(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return string(b)
}

// Parent is the header by which the control plane goes on with the trace (W3C
// Trace Context, section 3.2); "" for none.
func (t Trace) Parent() string {
	if t.id == "" {
		return ""
	}
	return fmt.Sprintf("00-%x-%x-01", t.id, t.root)
}

// spans are those that a bench itself has of a change: the change from when
// it was sent until the last Envoy routed by it, and below it of each Envoy the
// last request under the old configuration and the first one under the new.
func (t Trace) spans(sent time.Time, seen []probe.Switch, node func(i int) string) []*tracev1.Span {
	root := &tracev1.Span{TraceId: []byte(t.id), SpanId: []byte(t.root), Name: "change", Kind: tracev1.Span_SPAN_KIND_CLIENT, StartTimeUnixNano: unixNano(sent)}
	all := []*tracev1.Span{root}
	for i, s := range seen {
		for _, one := range []struct {
			name string
			a    probe.Answer
		}{{"last old request", s.LastOld}, {"first request", s.FirstNew}} {
			if one.a.Sent.Before(sent) {
				continue // there was none, or it tells nothing of the change
			}
			all = append(all, &tracev1.Span{
				TraceId: root.TraceId, SpanId: []byte(random(8)), ParentSpanId: root.SpanId, Name: one.name, Kind: tracev1.Span_SPAN_KIND_CLIENT,
				StartTimeUnixNano: unixNano(one.a.Sent), EndTimeUnixNano: unixNano(one.a.Received),
				Attributes: []*common.KeyValue{text("deltaplane.node", node(i))},
			})
			root.EndTimeUnixNano = max(root.EndTimeUnixNano, unixNano(one.a.Received))
		}
	}
	return all
}

func unixNano(t time.Time) uint64 { return uint64(t.UnixNano()) }

func text(key, value string) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: value}}}
}
