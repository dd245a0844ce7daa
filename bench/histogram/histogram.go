// Package histogram sums up durations without losing their tail.
package histogram

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

// Quantile is the time, in milliseconds, that a percentage of all did not
// exceed.
type Quantile struct {
	Percent float64 `json:"percent"`
	Time    float64 `json:"ms"`
}

// longest is what a histogram can hold; what is longer counts as this.
const longest = 10 * time.Minute

// Histogram counts durations from 100 ns up. New makes one. It is not for
// several goroutines at a time.
type Histogram struct{ counts *hdrhistogram.Histogram }

// New is an empty histogram.
// Cost: some 300 kB.
func New() Histogram { return Histogram{hdrhistogram.New(100, int64(longest), 3)} }

// Record keeps d; less than nothing, as between two clocks, counts as nothing.
func (h Histogram) Record(d time.Duration) {
	_ = h.counts.RecordValue(int64(min(max(d, 0), longest))) // always within its bounds
}

// At is a percentile, 0 to 100; 0 without any value.
func (h Histogram) At(percent float64) time.Duration {
	return time.Duration(h.counts.ValueAtQuantile(percent))
}

// Mean is the average; 0 without any value.
func (h Histogram) Mean() time.Duration { return time.Duration(h.counts.Mean()) }

// Count is how many durations were recorded.
func (h Histogram) Count() int { return int(h.counts.TotalCount()) }

// Distribution sums it up.
func (h Histogram) Distribution() Distribution {
	return Distribution{Count: h.counts.TotalCount(), P50: ms(h.At(50)), P90: ms(h.At(90)), P99: ms(h.At(99)), P999: ms(h.At(99.9)), Max: ms(h.At(100))}
}

// Microseconds sums it up in microseconds rather than milliseconds.
func (h Histogram) Microseconds() Distribution {
	us := func(percent float64) float64 { return float64(h.At(percent)) / float64(time.Microsecond) }
	return Distribution{Count: int64(h.Count()), P50: us(50), P90: us(90), P99: us(99), P999: us(99.9), Max: us(100)}
}

// WithCurve sums it up for a plot.
func (h Histogram) WithCurve() Distribution {
	d := h.Distribution()
	if d.Count == 0 {
		return d
	}
	for _, b := range h.counts.CumulativeDistributionWithTicks(curveTicks) {
		d.Curve = append(d.Curve, Quantile{b.Quantile, ms(time.Duration(b.ValueAt))})
	}
	return d
}

// curveTicks is how many percentiles a Curve has from one half of the distance
// to 100 % to the next.
const curveTicks = 2

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
