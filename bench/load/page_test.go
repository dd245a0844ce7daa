package load

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane/bench/histogram"
)

// measured is a side with something of everything, each change of which takes
// so many ms to the last proxy.
func measured(kind Kind, resources int, last ...int) Side {
	r := newResults()
	h := histogram.New()
	for _, ms := range last {
		at := time.Duration(ms) * time.Millisecond
		r.single.call.record([]time.Duration{at / 10, at})
		r.single.commit.record([]time.Duration{at / 20, at - at/10})
		r.single.inOrder.add(float64(ms))
		h.Record(at)
	}
	for _, s := range []*samples{&r.single.cpu, &r.single.allocated, &r.single.bytes, &r.single.etcd, &r.single.objects, &r.start.took, &r.start.cpu, &r.start.heap, &r.start.rss, &r.storm.took, &r.storm.cpu, &r.storm.resources, &r.storm.bytes} {
		s.add(float64(last[0]))
		s.add(float64(last[0]) * 1.5)
	}
	r.concerned = r.single
	r.steady = &steadyResults{asked: 100, made: 100, took: time.Second, lag: h}
	s := side{kind: kind, results: r}
	report := s.report()
	report.Resources = resources
	return report
}

// compared is a report of three sides.
func compared() *Report {
	sides := []Side{measured(Deltaplane, 10_000, 30, 31, 29, 40), measured(Linear, 10_000, 130, 140, 150, 160), measured(Floor, 10_000, 25, 26, 24, 28)}
	return &Report{Version: "1.2.3", CommandLine: "deltaplane bench --proxies 1000", Pattern: "cluster", Proxies: 1000, Concerned: 10, Rate: 100, Sides: sides,
		Demands: demands(sides), SLA: verdict(sides, 50*time.Millisecond)}
}

func TestThePageOfAFleetHasTheVerdictsAndAllSides(t *testing.T) {
	var out bytes.Buffer
	if err := compared().Page().Write(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"changes (cluster) at 1,000 proxies", "✓ met", "to the last proxy is 40.0 ms on deltaplane, of at most 50 ms", "--proxies 1000",
		"<b>✓</b> server CPU per change", "× the floor", "<b>✗</b> reconnect storm: resources sent again",
		"linear: P50 is 140", "floor, change 1: 25.0 ms", "At 100 changes per second", "Changes that concern 10 proxies", `class="line ref"`,
		"162 ms (130–195)",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if path := os.Getenv("PAGE"); path != "" {
		_ = os.WriteFile(path, out.Bytes(), 0o644)
	}
}
