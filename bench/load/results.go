package load

import (
	"time"

	"github.com/deltaplane/deltaplane/bench/histogram"
)

// results are what was measured of a side, in all of its turns.
type results struct {
	single    course // changes to all proxies, one at a time
	concerned course // changes to some of them
	start     startResults
	storm     stormResults
	steady    *steadyResults // nil: not measured
}

// course are the results of changes that are made one at a time.
type course struct {
	call, commit reach   // from the call of the API, and from when it had stored the change
	inOrder      samples // from the call to the last proxy, in ms, of one change after the other
	cpu          samples // of the server, in ms per change
	etcd         samples // in which etcd made the change durable, in ms per change
	allocated    samples // bytes per change
	objects      samples // allocated per change
	bytes        samples // received by all proxies per change
	own          samples // CPU of this process, in µs per response
}

func newCourse() course { return course{call: newReach(), commit: newReach()} }

// startResults are of the start of all proxies, and of what they cost at rest.
type startResults struct {
	took, cpu  samples // ms
	bytes      samples // received by all proxies
	heap       samples // of the server, live bytes per proxy
	stacks     samples // bytes per proxy
	goroutines samples // per proxy
	rss        samples // of the server, with everything
}

// stormResults are of all proxies' return at once.
type stormResults struct {
	took, cpu samples // ms
	bytes     samples // received by all proxies
	resources samples // in those
	lost      samples // streams that ended once more
}

// steadyResults are of changes at a rate.
type steadyResults struct {
	asked, made int                 // changes
	took        time.Duration       // to make them
	missing     int                 // changes that did not reach all proxies in time
	lag         histogram.Histogram // from when a change was due to the last proxy
	responses   float64             // per proxy
	cpu         float64             // of the server, in CPUs
	before, end memory
}

// memory is that of a server at a moment, in bytes.
type memory struct{ heap, rss float64 }

func newResults() results { return results{single: newCourse(), concerned: newCourse()} }
