package otlptest

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
)

// Span is one span as it was received.
type Span struct {
	Name       string
	Trace      string // ids are hexadecimal
	ID, Parent string
	Start, End time.Time
	Attrs      map[string]string
	Failed     bool
	Reason     string            // of the failure
	About      map[string]string // who made it: attributes of the resource
}

// Trace is a number of spans.
type Trace []Span

func spanOf(s *tracev1.Span, about map[string]string) Span {
	return Span{
		Name: s.GetName(), Trace: hex.EncodeToString(s.GetTraceId()), ID: hex.EncodeToString(s.GetSpanId()), Parent: hex.EncodeToString(s.GetParentSpanId()),
		Start: time.Unix(0, int64(s.GetStartTimeUnixNano())), End: time.Unix(0, int64(s.GetEndTimeUnixNano())),
		Attrs: attributes(s.GetAttributes()), About: about,
		Failed: s.GetStatus().GetCode() == tracev1.Status_STATUS_CODE_ERROR, Reason: s.GetStatus().GetMessage(),
	}
}

func attributes(list []*common.KeyValue) map[string]string {
	attrs := map[string]string{}
	for _, kv := range list {
		switch v := kv.GetValue().GetValue().(type) {
		case *common.AnyValue_StringValue:
			attrs[kv.GetKey()] = v.StringValue
		case *common.AnyValue_IntValue:
			attrs[kv.GetKey()] = fmt.Sprint(v.IntValue)
		case *common.AnyValue_DoubleValue:
			attrs[kv.GetKey()] = fmt.Sprint(v.DoubleValue)
		default:
			attrs[kv.GetKey()] = kv.GetValue().String()
		}
	}
	return attrs
}

// Named are the spans called name.
func (t Trace) Named(name string) Trace {
	return t.where(func(s Span) bool { return s.Name == name })
}

// Of are the spans of one trace.
func (t Trace) Of(trace string) Trace {
	return t.where(func(s Span) bool { return s.Trace == trace })
}

// Below are the spans whose parent is s.
func (t Trace) Below(s Span) Trace {
	return t.where(func(o Span) bool { return o.Trace == s.Trace && o.Parent == s.ID })
}

// Made are the spans of one process.
func (t Trace) Made(pid string) Trace {
	return t.where(func(s Span) bool { return s.About["process.pid"] == pid })
}

// With are the spans that have an attribute.
func (t Trace) With(key, value string) Trace {
	return t.where(func(s Span) bool { return s.Attrs[key] == value })
}

// Last is the span that ended last; a zero Span when there is none.
func (t Trace) Last() Span {
	var last Span
	for _, s := range t {
		if s.End.After(last.End) {
			last = s
		}
	}
	return last
}

func (t Trace) where(is func(Span) bool) Trace {
	var some Trace
	for _, s := range t {
		if is(s) {
			some = append(some, s)
		}
	}
	return some
}

// String is the spans as trees, in the order of their beginnings.
func (t Trace) String() string {
	var out strings.Builder
	known := map[string]bool{}
	for _, s := range t {
		known[s.Trace+s.ID] = true
	}
	t.write(&out, 0, func(s Span) bool { return !known[s.Trace+s.Parent] })
	return out.String()
}

func (t Trace) write(out *strings.Builder, depth int, is func(Span) bool) {
	some := t.where(is)
	slices.SortStableFunc(some, func(a, b Span) int { return a.Start.Compare(b.Start) })
	for _, s := range some {
		fmt.Fprintf(out, "%s%s %.3f ms from %s", strings.Repeat("  ", depth), s.Name, float64(s.End.Sub(s.Start))/1e6, s.Start.Format("05.000000"))
		for _, key := range []string{"deltaplane.node", "deltaplane.type", "deltaplane.version", "deltaplane.push.acked"} {
			if v, ok := s.Attrs[key]; ok {
				fmt.Fprintf(out, " %s=%s", strings.TrimPrefix(key, "deltaplane."), v)
			}
		}
		fmt.Fprintf(out, " pid=%s trace=%.8s\n", s.About["process.pid"], s.Trace)
		t.write(out, depth+1, func(o Span) bool { return o.Trace == s.Trace && o.Parent == s.ID })
	}
}
