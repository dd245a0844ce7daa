package bench

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane/bench/histogram"
	"github.com/deltaplane/deltaplane/bench/probe"
)

// effectsOf are of one change at two Envoys: the times are of the first
// request at each.
func effectsOf(first ...time.Duration) *effects {
	e := newEffects()
	start := time.Unix(1000, 0)
	w := watched{sent: start, done: done{stored: start.Add(3 * time.Millisecond), acked: start.Add(40 * time.Millisecond)}}
	var before, after cost
	for _, d := range first {
		w.seen = append(w.seen, probe.Switch{
			Tally:    probe.Tally{Requests: 10, Lost: 1},
			FirstNew: probe.Answer{Sent: start.Add(d - time.Millisecond), Received: start.Add(d)},
			LastOld:  probe.Answer{Sent: start.Add(d - 2*time.Millisecond)},
		})
		before.main, after.main = append(before.main, time.Second), append(after.main, time.Second+d/2)
	}
	after.sent, after.plane = counters{bytes: 5000, etcd: 0.002}, 7*time.Millisecond
	e.record(w, before, after)
	return e
}

func TestEffectsCountFromSendingTheChange(t *testing.T) {
	got := effectsOf(60*time.Millisecond, 40*time.Millisecond).report()
	for what, pair := range map[string][2]float64{
		"stored": {got.Stored.Max, 3}, "etcd": {got.Etcd.Max, 2}, "acknowledged": {got.Acked.Max, 40},
		"first request, P50": {got.FirstRequest.P50, 40}, "first request, max": {got.FirstRequest.Max, 60},
		"sent": {got.FirstSent.Max, 59}, "without etcd": {got.WithoutEtcd.Max, 58}, "last old": {got.LastOld.Max, 58},
		"last Envoy": {got.LastEnvoy.P50, 60}, "main CPU": {got.MainCPU.Max, 30},
		"plane CPU": {got.PlaneCPU, 7}, "bytes": {got.Bytes, 5000}, "probes": {float64(got.Probes.Requests), 20}, "lost": {float64(got.Probes.Lost), 2},
	} {
		if math.Abs(pair[0]-pair[1]) > pair[1]/500 {
			t.Errorf("%s is %v, want %v", what, pair[0], pair[1])
		}
	}
	if got.LastEnvoy.Count != 1 || got.FirstRequest.Count != 2 || got.Count != 1 {
		t.Errorf("%d changes, %d first requests, %d last ones; want 1, 2, 1", got.Count, got.FirstRequest.Count, got.LastEnvoy.Count)
	}
}

func TestTheVerdictIsOfTheLastSidesP99(t *testing.T) {
	slow, fast := Side{Shape: Plain, Change: effectsOf(80 * time.Millisecond).report()}, Side{Shape: Split, Change: effectsOf(8 * time.Millisecond).report()}
	for _, test := range []struct {
		sides []Side
		limit time.Duration
		met   bool
	}{
		{[]Side{slow}, 50 * time.Millisecond, false},
		{[]Side{slow}, 100 * time.Millisecond, true},
		{[]Side{slow, fast}, 50 * time.Millisecond, true},
		{[]Side{fast, slow}, 50 * time.Millisecond, false},
		{[]Side{fast}, 1, false},
		{[]Side{{Shape: Plain}}, time.Hour, false}, // nothing was measured
	} {
		if got := verdict(test.sides, test.limit); got.Met != test.met {
			t.Errorf("%d sides, limit %v: %+v, want %v", len(test.sides), test.limit, got, test.met)
		}
	}
}

func TestRatiosAreOfTheFirstSideToEachOther(t *testing.T) {
	slow, fast := Side{Shape: Plain, Change: effectsOf(80 * time.Millisecond).report()}, Side{Shape: Split, Change: effectsOf(8 * time.Millisecond).report()}
	all := ratios([]Side{slow, fast, fast})
	if len(all) != 2*len(measures) {
		t.Fatalf("%d ratios, want %d for each of two sides", len(all), len(measures))
	}
	if first := all[0]; first.Base != Plain || first.Of != Split || math.Abs(first.Ratio-10) > 0.05 {
		t.Errorf("the first ratio is %+v, want 10", first)
	}
	if len(ratios([]Side{slow})) != 0 {
		t.Error("one side has ratios")
	}
}

func TestTheTablesSayWhatWasLostAndThatTheSLAWasMissed(t *testing.T) {
	side := Side{Shape: Plain, Change: effectsOf(80 * time.Millisecond).report()}
	side.Requests = probe.Tally{Requests: 12345, Misrouted: 2, Reasons: map[string]int{`answered by "blue"`: 2}}
	files := effectsOf(200 * time.Millisecond).report()
	side.File = &files
	r := Report{Pattern: Route, Routes: 10000, Hosts: 1, Envoys: 1, Concurrency: 2, Sides: []Side{side}, SLA: verdict([]Side{side}, 50*time.Millisecond)}
	var out bytes.Buffer
	r.Print(&out)
	for _, want := range []string{
		"10,000 routes in 1 host · 1 Envoy of 2 workers", "PLAIN · 1 change\n", "PLAIN · 1 time the whole file", "1 lost",
		`12,345 requests, 0 lost, 2 misrouted · 2 × answered by "blue"`, "SLA MISSED: P99 of the first request is 80.", "on plain, of at most 50 ms",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the tables lack %q:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "slowest Envoy") {
		t.Errorf("one Envoy has a slowest one:\n%s", out.String())
	}
}

func TestAConfigThatCannotBeMeasuredIsAnError(t *testing.T) {
	for name, c := range map[string]Config{
		"a pattern":          {Pattern: "chaos"},
		"a shape":            {Shapes: []Shape{"round"}},
		"a shape twice":      {Shapes: []Shape{Plain, Plain}},
		"more hosts":         {Routes: 10, Hosts: 11},
		"a negative number":  {Changes: -1},
		"a negative time":    {Duration: -1},
		"too many requests":  {Rate: 2e9},
		"an impossible pace": {ProbeEvery: time.Nanosecond},
	} {
		if _, err := c.withDefaults(); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
	if c, err := (Config{}).withDefaults(); err != nil || c.Routes != 10000 || c.SLA != 50*time.Millisecond {
		t.Errorf("the zero Config is %+v, error %v", c, err)
	}
}

func TestALoadThatLosesRequestsMissesItsSLA(t *testing.T) {
	side := Side{Load: &Traffic{}, Change: Effects{FirstRequest: histogram.Distribution{Count: 1, P99: 1}}}
	if !verdict([]Side{side}, time.Second).Met {
		t.Error("a load that loses nothing misses it")
	}
	for _, t1 := range []probe.Tally{{Lost: 1}, {Misrouted: 1}} {
		if side.Requests = t1; verdict([]Side{side}, time.Second).Met {
			t.Errorf("%+v meets it", t1)
		}
	}
}
