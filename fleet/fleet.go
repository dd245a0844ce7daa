// Package fleet knows, for each proxy and subscribed type, what it was sent,
// what it holds, and what it refused and why. It hears that from the xDS
// server as its xds.Observer.
//
// Types other than those in resource.Served are not tracked.
package fleet

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/xds"
)

// Config bounds what a Fleet remembers. The zero value of each field takes
// its default.
type Config struct {
	// Latest is the store's newest version; it must not block. Default: the
	// highest version that any event told of.
	Latest func() deltaplane.Version

	KeepDisconnected time.Duration // how long a proxy is kept after its last stream; default 10 minutes
	MaxDisconnected  int           // how many of them; default 10,000
	MaxStreams       int           // tracked at a time; default 200,000
	Grace            time.Duration // for a proxy to come back during a Wait; default 5 s
}

// Fleet is the state of all proxies. All methods may be called from any
// goroutine. It starts no goroutines.
type Fleet struct {
	cfg     Config
	metrics *metrics
	streams index
	seen    atomic.Uint64 // highest version in any event
	changed signal
	waits   atomic.Int64 // in progress

	mu        sync.RWMutex // guards what follows; taken before any node's lock
	nodes     map[string]*node
	gone      departed
	tracked   int // streams
	untracked int // streams beyond MaxStreams, still open
}

// New makes a Fleet without proxies.
func New(cfg Config) *Fleet {
	if cfg.KeepDisconnected <= 0 {
		cfg.KeepDisconnected = 10 * time.Minute
	}
	if cfg.MaxDisconnected <= 0 {
		cfg.MaxDisconnected = 10_000
	}
	if cfg.MaxStreams <= 0 {
		cfg.MaxStreams = 200_000
	}
	if cfg.Grace <= 0 {
		cfg.Grace = 5 * time.Second
	}
	return &Fleet{cfg: cfg, metrics: newMetrics(), nodes: map[string]*node{}}
}

// Observe takes one event in. Events of one stream must come in order; those
// of streams that were never opened, or are closed, are ignored.
// Cost: O(1), and O(streams of the node) for each Wait in progress; for a new
// version O(streams) while there is any.
func (f *Fleet) Observe(e xds.Event) {
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	f.see(e.Version)
	switch e.Kind {
	case xds.Opened:
		f.open(&e)
	case xds.Closed:
		f.close(&e)
	case xds.Advanced:
		f.advance()
	default:
		f.update(&e)
	}
	f.changed.fire()
}

// Changed closes at the next event. Ask for it before what is to be watched.
// A new version in the store changes states too and is not told here.
func (f *Fleet) Changed() <-chan struct{} { return f.changed.next() }

// open starts to track a stream.
func (f *Fleet) open(e *xds.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.streams.get(e.Stream) != nil {
		return
	}
	if f.tracked >= f.cfg.MaxStreams {
		f.untracked++
		f.streams.put(e.Stream, &stream{id: e.Stream})
		return
	}
	f.tracked++
	id := capID(e.Node.GetId())
	n := f.nodes[id]
	if n == nil {
		n = &node{id: id}
		f.nodes[id] = n
	}
	s := &stream{id: e.Stream, node: n, ads: e.ADS, delta: e.Delta}
	f.streams.put(e.Stream, s)

	n.mu.Lock()
	defer n.mu.Unlock()
	f.gone.remove(n)
	n.openLocked(s, e)
	n.settleLocked()
}

// close ends a stream. A node without streams is kept among the departed.
func (f *Fleet) close(e *xds.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.streams.get(e.Stream)
	if s == nil {
		return
	}
	f.streams.remove(e.Stream)
	if s.node == nil {
		f.untracked--
		return
	}
	f.tracked--
	n := s.node
	n.mu.Lock()
	n.closeLocked(s, e)
	left := len(n.streams)
	n.settleLocked()
	n.mu.Unlock()
	if left == 0 {
		f.gone.add(n, time.Now())
	}
	f.expireLocked()
}

// expireLocked forgets the departed that are too old or too many. f.mu is held.
func (f *Fleet) expireLocked() {
	for n := range f.gone.expire(time.Now().Add(-f.cfg.KeepDisconnected), f.cfg.MaxDisconnected) {
		delete(f.nodes, n.id)
	}
}

// advance looks at all nodes on behalf of those who wait: streams at rest may
// have come to a new version.
func (f *Fleet) advance() {
	if f.waits.Load() == 0 {
		return
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	for _, n := range f.nodes {
		n.mu.Lock()
		n.settleLocked()
		n.mu.Unlock()
	}
}

// update takes in an event of a stream that is open.
func (f *Fleet) update(e *xds.Event) {
	everything := e.Kind == xds.Current && e.Type == ""
	t, ok := slotOf(e.Type)
	f.metrics.count(t, e)
	s := f.streams.get(e.Stream)
	if s == nil || s.node == nil || !ok && !everything {
		return
	}
	n := s.node
	n.mu.Lock()
	defer n.mu.Unlock()
	s.catchUpLocked()
	s.rest = e.Rest
	if everything {
		n.currentLocked(s, e)
		n.settleLocked()
		return
	}
	took := n.updateLocked(s, t, e)
	if took > 0 {
		f.metrics.acknowledged(t, took, e)
	}
	n.settleLocked()
}

// see raises the highest version seen.
func (f *Fleet) see(v deltaplane.Version) {
	for {
		old := f.seen.Load()
		if uint64(v) <= old || f.seen.CompareAndSwap(old, uint64(v)) {
			return
		}
	}
}

// latest is what proxies are compared with.
func (f *Fleet) latest() deltaplane.Version {
	if f.cfg.Latest != nil {
		return f.cfg.Latest()
	}
	return deltaplane.Version(f.seen.Load())
}
