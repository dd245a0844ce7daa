package telemetry

import (
	"testing"

	"go.opentelemetry.io/otel/trace"
	"pgregory.net/rapid"
)

func TestALinkNamesTheSpanThatItWasMadeFor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := trace.TraceID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "trace"))
		span := trace.SpanID(rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(t, "span"))
		flags := trace.TraceFlags(rapid.Byte().Draw(t, "flags"))
		at := trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: span, TraceFlags: flags, Remote: true})
		link := linkTo(at)
		if !at.IsSampled() {
			if link != nil {
				t.Fatal("what is not sampled has a link")
			}
			return
		}
		if got := follow(link); !got.Equal(at) {
			t.Fatalf("the link of %v leads to %v", at, got)
		}
	})
}

// Records come from etcd, where anybody may have written them.
func TestNoLinkPanics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		link := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "link")
		if at := follow(link); at.IsValid() && len(link) != linkBytes {
			t.Fatalf("%x leads to %v", link, at)
		}
	})
}
