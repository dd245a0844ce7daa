package histogram

import (
	"math"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestADistributionHasThePercentilesOfWhatWasRecorded(t *testing.T) {
	h := New()
	for i := 1; i <= 1000; i++ {
		h.Record(time.Duration(i) * time.Millisecond)
	}
	h.Record(-time.Second)
	d := h.Distribution()
	for what, pair := range map[string][2]float64{
		"count": {float64(d.Count), 1001}, "P50": {d.P50, 500}, "P90": {d.P90, 900}, "P99": {d.P99, 990}, "P99.9": {d.P999, 999}, "max": {d.Max, 1000},
	} {
		if math.Abs(pair[0]-pair[1]) > pair[1]/500 { // three digits, and one value more than a thousand
			t.Errorf("%s is %v, want %v", what, pair[0], pair[1])
		}
	}
	if small := New(); true {
		small.Record(123456 * time.Nanosecond)
		if got := small.Distribution().P50; math.Abs(got-0.123) > 0.001 {
			t.Errorf("0.123 ms is %v", got)
		}
	}
	h.Record(time.Hour)
	if d := h.Distribution(); d.Max < ms(longest)*0.99 {
		t.Errorf("an hour counts as %v ms, want the histogram's end", d.Max)
	}
}

func TestACurveEndsAtTheLargestValueAndIsCloserToIt(t *testing.T) {
	h := New()
	for i := 1; i <= 1000; i++ {
		h.Record(time.Duration(i) * time.Millisecond)
	}
	d := h.WithCurve()
	last := Quantile{}
	for i, q := range d.Curve {
		if q.Percent < last.Percent || q.Time < last.Time {
			t.Errorf("point %d is %+v, after %+v", i, q, last)
		}
		if math.Abs(q.Time-10*q.Percent) > 12 { // the values are even
			t.Errorf("P%g is %g ms", q.Percent, q.Time)
		}
		last = q
	}
	if last.Percent != 100 || last.Time != d.Max || len(d.Curve) < 15 || len(d.Curve) > 40 {
		t.Errorf("%d points, the last %+v; the largest value is %g", len(d.Curve), last, d.Max)
	}
	if none := New().WithCurve(); none.Curve != nil || none.Count != 0 {
		t.Errorf("nothing has %+v", none)
	}
}
