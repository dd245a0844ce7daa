package bench

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Distribution sums up how long something took, in milliseconds, from a
// histogram true to three digits.
type Distribution struct {
	Count int64   `json:"count"`
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P99   float64 `json:"p99"`
	P999  float64 `json:"p99_9"`
	Max   float64 `json:"max"`
	// Curve has more of the percentiles, where a plot is made of them; the
	// nearer to the largest value, the closer they stand.
	Curve []Quantile `json:"curve,omitempty"`
}

// Quantile is the time that a percentage of all did not exceed.
type Quantile struct {
	Percent float64 `json:"percent"`
	Time    float64 `json:"ms"`
}

// longest is what a histogram can hold; what is longer counts as this.
const longest = 10 * time.Minute

// histogram counts durations from 100 ns up.
type histogram struct{ *hdrhistogram.Histogram }

func newHistogram() histogram { return histogram{hdrhistogram.New(100, int64(longest), 3)} }

// record keeps d; less than nothing, as between two clocks, counts as nothing.
func (h histogram) record(d time.Duration) {
	_ = h.RecordValue(int64(min(max(d, 0), longest))) // always within its bounds
}

// at is a percentile; 0 without any value.
func (h histogram) at(percent float64) time.Duration {
	return time.Duration(h.ValueAtQuantile(percent))
}

func (h histogram) distribution() Distribution {
	return Distribution{Count: h.TotalCount(), P50: ms(h.at(50)), P90: ms(h.at(90)), P99: ms(h.at(99)), P999: ms(h.at(99.9)), Max: ms(h.at(100))}
}

// withCurve is the distribution with its Curve.
func (h histogram) withCurve() Distribution {
	d := h.distribution()
	if d.Count == 0 {
		return d
	}
	for _, b := range h.CumulativeDistributionWithTicks(curveTicks) {
		d.Curve = append(d.Curve, Quantile{b.Quantile, ms(time.Duration(b.ValueAt))})
	}
	return d
}

// curveTicks is how many percentiles a Curve has from one half of the distance
// to 100 % to the next.
const curveTicks = 2

// ms is d in milliseconds.
func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
