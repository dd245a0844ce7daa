package load

import (
	"time"

	"github.com/deltaplane/deltaplane/bench/histogram"
)

// results are what was measured of a side, in all of its turns.
type results struct {
	call, commit reach // from the call of the API, and from when it had stored the change

	changes int
	cpu     time.Duration // of the server, by changes
	bytes   int64         // received by all proxies, by changes
	alloc   float64

	start []time.Duration // until all proxies had everything
	rss   []float64
	own   time.Duration // CPU of this process, by changes
}

func newResults() results { return results{call: newReach(), commit: newReach()} }

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
