package bench

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane/bench/histogram"
	"github.com/deltaplane/deltaplane/bench/hops"
	"github.com/deltaplane/deltaplane/bench/probe"
)

// compared is a report of two sides.
func compared(envoys int) *Report {
	slow := Side{Shape: Plain, Change: effectsOf(80*time.Millisecond, 60*time.Millisecond).report(), Requests: probe.Tally{Requests: 1000, Misrouted: 2}}
	fast := Side{Shape: Split, Change: effectsOf(8*time.Millisecond, 6*time.Millisecond).report(), Requests: probe.Tally{Requests: 1000}}
	fast.Change.Probes.Lost = 0
	sides := []Side{slow, fast}
	return &Report{Pattern: Route, Routes: 10000, Hosts: 100, Envoys: envoys, Concurrency: 1, Envoy: "1.2.3", Command: "deltaplane bench", Sides: sides,
		Ratios: ratios(sides), SLA: verdict(sides, 50*time.Millisecond)}
}

func TestThePageComparesTheSidesAndGivesTheVerdict(t *testing.T) {
	r := compared(2)
	var out bytes.Buffer
	if err := r.Page().Write(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"one route changes, of 10,000 routes", "✓ met", "is 8.00 ms on split, of at most 50 ms", "Envoy 1.2.3", "plain / split", "10.0 ×",
		"<b>✗</b> plain: 2 lost, 2 misrouted of 1,020 requests", "<b>✓</b> split: 0 lost, 0 misrouted of 1,020 requests",
		"last Envoy P50", "plain: P100 is 80", "split, change 1: 8.00 ms", "All figures: plain",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestOneEnvoyHasNoSlowestOneOnThePage(t *testing.T) {
	for _, row := range compared(1).overview().Tables[0].Rows {
		if strings.HasPrefix(row.Name, "last Envoy") {
			t.Errorf("one Envoy has %q", row.Name)
		}
	}
}

func TestPlotsHaveEveryChangeAndTheWholeCurve(t *testing.T) {
	e := newEffects()
	for i := range 1000 {
		one := effectsOf(time.Duration(i+1) * time.Millisecond)
		e.first.Record(time.Duration(i+1) * time.Millisecond)
		e.inOrder = append(e.inOrder, one.inOrder...)
	}
	got := e.report()
	for name, d := range map[string]histogram.Distribution{"first request": got.FirstRequest, "acknowledged": got.Acked} {
		if (len(d.Curve) > 0) != (d.Count > 0) {
			t.Errorf("%s: %d values, and a curve of %d points", name, d.Count, len(d.Curve))
		}
	}
	if len(got.InOrder) != 1000 || got.InOrder[0] != 1 || got.InOrder[999] != 1000 {
		t.Errorf("%d changes in order", len(got.InOrder))
	}
}

func TestThePageOfALoadHasItsRequestsAndHops(t *testing.T) {
	r := compared(1)
	h := histogram.New()
	for i := range 100 {
		h.Record(time.Duration(i+1) * time.Millisecond)
	}
	r.Sides[1].Load = &Traffic{Protocol: "grpc", Method: "POST", TLS: true, Workers: 20, Rate: 1234, Slow: 3, Partial: 7,
		Latency: h.WithCurve(), Changing: h.WithCurve(), Quiet: h.WithCurve(), Hops: &hops.Times{Dispatch: h.Microseconds()}, Log: AccessLog{Lines: 4321, Upstream: h.Microseconds()}}
	var out bytes.Buffer
	if err := r.Page().Write(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"The load", "grpc POST, bodies of 0 B, TLS to the backends", "20 workers made 1234 requests/s", "Requests sent while a change went on",
		"change: cp_dispatch_us", "envoy_upstream_us", "4321", "<b>✗</b> bodies not whole",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if _, ok := compared(1).load(); ok {
		t.Error("there is a section of a load where there was none")
	}
}
