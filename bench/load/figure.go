package load

import (
	"slices"
	"time"

	"github.com/deltaplane/deltaplane/bench/histogram"
)

// Figure is what each turn of a side measured once.
type Figure struct {
	Median float64 `json:"median"`
	Least  float64 `json:"least"`
	Most   float64 `json:"most"`
	Turns  int     `json:"turns"` // 0: it was not measured
}

// samples are what turns have measured.
type samples []float64

func (s *samples) add(value float64) { *s = append(*s, value) }

func (s samples) figure() Figure {
	if len(s) == 0 {
		return Figure{}
	}
	sorted := slices.Sorted(slices.Values(s))
	middle := len(sorted) / 2
	median := sorted[middle]
	if len(sorted)%2 == 0 {
		median = (sorted[middle-1] + median) / 2
	}
	return Figure{median, sorted[0], sorted[len(sorted)-1], len(sorted)}
}

// reach is how long changes take to proxies.
type reach struct{ first, mean, any, last histogram.Histogram }

func newReach() reach {
	return reach{histogram.New(), histogram.New(), histogram.New(), histogram.New()}
}

// record adds a change, from its sorted arrivals.
func (r reach) record(times []time.Duration) {
	var sum time.Duration
	for _, t := range times {
		sum += t
		r.any.Record(t)
	}
	r.first.Record(times[0])
	r.mean.Record(sum / time.Duration(len(times)))
	r.last.Record(times[len(times)-1])
}

// Reach says how long changes take to proxies: of each change to the first and
// to the last one, and the mean of all; and of all changes to all proxies.
type Reach struct {
	First histogram.Distribution `json:"first_ms"`
	Mean  histogram.Distribution `json:"mean_ms"`
	Any   histogram.Distribution `json:"any_ms"`
	Last  histogram.Distribution `json:"last_ms"`

	AnyMean float64 `json:"any_mean_ms"`
}

func (r reach) report() Reach {
	return Reach{r.first.Distribution(), r.mean.Distribution(), r.any.WithCurve(), r.last.WithCurve(), ms(r.any.Mean())}
}

// ms is d in milliseconds.
func ms(d time.Duration) float64 { return d.Seconds() * 1000 }
