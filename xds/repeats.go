package xds

import (
	"sync"
	"time"
)

// What refusals may cost the log in each period: a client that refuses
// everything, over and over or each time for another reason, gets its reasons
// into the log, and nobody else's out of it.
const (
	refusalPeriod   = time.Minute
	reasonsPerNode  = 10   // different ones that are logged
	reasonsInAll    = 1000 // likewise, of all nodes
	maxLoggedDetail = 512  // bytes of a reason in the log
	maxLoggedNames  = 10   // of a refused response in the log
)

// repeats decides which refusals are logged. Its memory is bounded by the
// constants above. Any goroutine may call.
type repeats struct {
	mu      sync.Mutex // guards what follows
	began   time.Time
	reasons map[reason]int // how often each was suppressed in this period
	before  map[reason]int // in the last one
	nodes   map[string]int // reasons of each node
	dropped int            // refusals of reasons that found no room
}

// reason is why a node refuses a type, as far as it is logged.
type reason struct{ node, typ, detail string }

// admit reports whether a refusal for r is to be logged, and how many for the
// same reason were not since the last time. others is how many refusals were
// neither logged nor counted with their reasons.
func (p *repeats) admit(r reason, now time.Time) (log bool, suppressed, others int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if age := now.Sub(p.began); p.reasons == nil || age >= refusalPeriod || age < 0 {
		p.before = p.reasons
		p.began, p.reasons, p.nodes = now, map[reason]int{}, map[string]int{}
	}
	if n, seen := p.reasons[r]; seen {
		p.reasons[r] = n + 1
		return false, 0, 0
	}
	if p.nodes[r.node] >= reasonsPerNode || len(p.reasons) >= reasonsInAll {
		p.dropped++
		return false, 0, 0
	}
	p.reasons[r] = 0
	p.nodes[r.node]++
	suppressed, others = p.before[r], p.dropped
	p.dropped = 0
	return true, suppressed, others
}
