package e2e

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane/bench"
	"github.com/deltaplane/deltaplane/bench/histogram"
	"github.com/deltaplane/deltaplane/internal/otlptest"
)

// Requests of a load go through a real Envoy, whose filter labels them, while
// it is reconfigured.
func TestALoadIsLabelledAndLosesNothingWhileRoutesChange(t *testing.T) {
	for _, args := range loadForms {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			traces := otlptest.Start(t)
			cmd, temporary := benchCommand(t, append([]string{"--load", "--otlp-endpoint=" + traces.HTTP, "--requests=400", "--workers=20", "--sla=1h", "-o=json", "--body=some", "--header=x-own: 1"}, args...)...)
			var out, progress bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &progress
			if err := cmd.Run(); err != nil {
				t.Fatalf("%v\n%s%s", err, progress.String(), out.String())
			}
			nothingOfBench(t, temporary)
			var report bench.Report
			if err := json.Unmarshal(out.Bytes(), &report); err != nil {
				t.Fatalf("%v in %s", err, out.String())
			}
			changes := 0
			for _, side := range report.Sides {
				expectLoad(t, side, report.Envoys)
				changes += side.Change.Count
			}
			expectTraces(t, traces, changes)
		})
	}
}

// expectTraces checks that each change is one trace, from the call of the API
// to the first request.
func expectTraces(t *testing.T, traces *otlptest.Receiver, changes int) {
	t.Helper()
	spans, _ := traces.Spans()
	roots := spans.Named("change")
	if len(roots) != changes {
		t.Errorf("%d traces of %d changes", len(roots), changes)
	}
	for _, root := range roots {
		one := spans.Of(root.Trace)
		for _, name := range []string{"push", "encode", "send", "ack", "first request"} {
			if len(one.Named(name)) == 0 {
				t.Fatalf("no %q in the trace of a change:\n%s", name, one)
			}
		}
		if first := one.Named("first request").Last(); first.Parent != root.ID || first.End.After(root.End) {
			t.Errorf("the first request is not in its change:\n%s", one)
		}
		if below := one.Below(root); len(below) < 2 || !slices.ContainsFunc(below, func(s otlptest.Span) bool { return strings.HasPrefix(s.Name, "POST ") }) {
			t.Errorf("the call of the API is not below the change:\n%s", one)
		}
	}
}

// expectLoad checks that a side has every figure of a load, and lost nothing.
func expectLoad(t *testing.T, s bench.Side, envoys int) {
	t.Helper()
	l := s.Load
	if l == nil || s.Requests.Requests < 400 || s.Requests.Lost+s.Requests.Misrouted > 0 || l.Unlabelled+l.Partial > 0 {
		t.Fatalf("requests %+v, load %+v", s.Requests, l)
	}
	if l.Latency.Count != int64(s.Requests.Requests) || l.Changing.Count+l.Quiet.Count != l.Latency.Count || l.Changing.Count == 0 || l.Latency.P50 <= 0 || l.Body != len("some") {
		t.Errorf("load %+v", l)
	}
	if n := s.Requests.Requests; l.Log.Lines != n || l.Log.Counted != n || l.Log.Unlabelled+l.Log.Untimely > 0 {
		t.Errorf("of %d requests, Envoy's log and metric have %+v", n, l.Log)
	}
	for name, d := range map[string]histogram.Distribution{
		"dispatch": l.Hops.Dispatch, "server": l.Hops.Server, "ack": l.Hops.Ack, "arrival": l.Log.Arrival, "own": l.Log.Own, "upstream": l.Log.Upstream,
	} {
		if d.Count < int64(s.Change.Count) || d.P50 <= 0 || d.Max < d.P99 {
			t.Errorf("%s is %+v", name, d)
		}
	}
	if a := s.Change.Arrivals; a != nil && (a.Received.Count != s.Change.FirstRequest.Count || l.Hops.Receive.Count == 0 || a.Answered.P50 <= 0) {
		t.Errorf("relays have dated %+v, hops %+v", a, l.Hops)
	}
	if e := s.Change; e.Count == 0 || e.FirstRequest.Count != int64(e.Count*envoys) || e.LastOld.Count != e.FirstRequest.Count || e.FirstRequest.P50 <= e.FirstSent.P50 {
		t.Errorf("changes %+v", e)
	}
}
