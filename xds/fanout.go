package xds

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
	"github.com/deltaplane/deltaplane/wire"
)

// plan is one decision with its encoding: what takes a client from one state
// to another. Streams in the same state share it. All of it but the lazily
// made parts is immutable.
type plan struct {
	view.Outcome
	before view.Held        // what the client held
	all    []*view.Resource // in a response of full state: also what did not change

	encode    func() *wire.Frame
	frameOnce sync.Once
	frame     *wire.Frame

	namesOnce sync.Once
	names     map[string]resource.Digest // set by namesOnce: of all in the response, in the target; zero where it lacks them

	refusedOnce sync.Once
	refused     view.Held // set by refusedOnce
	refusal     *refusal  // set by refusedOnce: of this response alone

	newOnce  sync.Once
	newNames []string // set by newOnce: of upserts that the client lacked
	edsOnce  sync.Once
	eds      []string // set by edsOnce, sorted: endpoints that clusters in it warm with

	ttlOnce sync.Once
	ttl     time.Duration // set by ttlOnce: the shortest in the response

	mentions sync.Map // *view.Resource → bool: mentions one of newNames
	uses     sync.Map // *plan → bool: what was held before this mentions what waits in that
	rewarmed sync.Map // rewarming → view.Held: with what clusters in it warm with asked for
}

// Frame is the encoded response. cached reports that it was there already.
func (p *plan) Frame() (f *wire.Frame, cached bool) {
	cached = true
	p.frameOnce.Do(func() { p.frame, cached = p.encode(), false })
	return p.frame, cached
}

// content maps each name in the response to the digest that the target has.
func (p *plan) content() map[string]resource.Digest {
	p.namesOnce.Do(func() {
		p.names = make(map[string]resource.Digest, len(p.Upserts)+len(p.Removed)+len(p.Missing))
		for _, u := range p.Upserts {
			p.names[u.Name()] = u.Digest()
			for _, alias := range u.Aliases {
				p.names[alias] = u.Digest()
			}
		}
		for _, r := range p.all {
			p.names[r.Name()] = r.Digest()
		}
		gone := slices.Concat(p.Removed, p.Missing)
		if p.all != nil { // it repeats what waits to be removed, and wants it gone
			gone = append(gone, p.Waiting...)
		}
		for _, name := range gone {
			p.names[name] = resource.Digest{}
		}
	})
	return p.names
}

// afterRefusal is what the client holds if it refused the response: of what
// was in it, nobody knows: Envoy applies a part that depends on its order.
func (p *plan) afterRefusal() (view.Held, *refusal) {
	p.refusedOnce.Do(func() {
		p.refusal = &refusal{plan: p}
		p.refused = p.After.Unknown(maps.Keys(p.content()), p.before)
	})
	return p.refused, p.refusal
}

// endpoints names what the EDS clusters in the response warm with, sorted.
func (p *plan) endpoints() []string {
	p.edsOnce.Do(func() {
		for _, u := range p.Upserts {
			if name, ok := view.EndpointsOf(u.Resource); ok {
				p.eds = append(p.eds, name)
			}
		}
		slices.Sort(p.eds)
	})
	return p.eds
}

// fanoutKey identifies a decision: equal keys lead to equal responses.
type fanoutKey struct {
	typ      resource.Type
	delta    bool
	held     view.Key
	target   radix.Hash
	sub      *view.Subscription
	removals bool
	refused  *refusal
	isolate  bool // of leaves: each goes by itself
	gate     gate
	besides  [32]byte // of clusters: what keeps some of them; of listeners: which of them wait
}

// fanout keeps decisions and encoded responses, so that a thousand streams in
// the same state decide and encode once. It has two generations: the older is
// dropped when the newer is full or a new version comes. Any goroutine may
// call.
type fanout struct {
	mu         sync.Mutex
	young, old map[fanoutKey]*plan
	bytes      int                   // about what young alone keeps alive
	made       map[fanoutKey]*making // what somebody makes now
}

// What a generation of the fanout keeps. One decision may be as large as all
// that there is, and each request of a client may lead to another one.
const (
	maxPlans     = 4096
	maxPlanBytes = 64 << 20
)

// plan is the decision for key. The first who needs it makes it, by decide, and
// all others wait for that: where a hundred clients start at a time, to decide
// may take longer than it takes all of them to come.
func (f *fanout) plan(key fanoutKey, decide func() *plan) *plan {
	p, m, mine := f.find(key)
	switch {
	case p != nil:
		return p
	case mine:
		m.plan = decide()
		f.keep(key, m)
		close(m.done)
	default:
		<-m.done
	}
	return m.plan
}

// making is a decision that somebody makes.
type making struct {
	done chan struct{} // closes when plan is set
	plan *plan
}

// find is the decision for key, or the place where it is made; mine if the
// caller is to make it.
func (f *fanout) find(key fanoutKey) (p *plan, m *making, mine bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p = f.knownLocked(key); p != nil {
		return p, nil, false
	}
	if m = f.made[key]; m != nil {
		return nil, m, false
	}
	m = &making{done: make(chan struct{})}
	if f.made == nil {
		f.made = map[fanoutKey]*making{}
	}
	f.made[key] = m
	return nil, m, true
}

// keep takes in that m, of key, has been made.
func (f *fanout) keep(key fanoutKey, m *making) {
	size := m.plan.size(key)
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.made, key)
	if len(f.young) >= maxPlans || f.bytes+size > maxPlanBytes {
		f.ageLocked()
	}
	f.keepLocked(key, m.plan, size)
}

// knownLocked is the decision for key, nil if there is none yet. f.mu is held.
func (f *fanout) knownLocked(key fanoutKey) *plan {
	if p := f.young[key]; p != nil {
		return p
	}
	p := f.old[key]
	if p != nil && len(f.young) < maxPlans {
		if size := p.size(key); f.bytes+size <= maxPlanBytes {
			f.keepLocked(key, p, size)
		}
	}
	return p
}

// keepLocked puts p into the newer generation. f.mu is held.
func (f *fanout) keepLocked(key fanoutKey, p *plan, size int) {
	if f.young == nil {
		f.young = map[fanoutKey]*plan{}
	}
	f.young[key] = p
	f.bytes += size
}

// age starts a new generation.
func (f *fanout) age() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ageLocked()
}

// ageLocked is age. f.mu is held.
func (f *fanout) ageLocked() { f.old, f.young, f.bytes = f.young, nil, 0 }

// size is about how many bytes p, decided for key, keeps alive that nothing
// else may: its encoded response and lists of names.
func (p *plan) size(key fanoutKey) int {
	const (
		entry = 512 // of the fanout
		name  = 64  // in a subscription or a list
		mark  = 256 // in what the client holds
	)
	names := len(key.sub.Names()) + len(p.Removed) + len(p.Missing) + len(p.Waiting) + len(p.Gated)
	size := entry + names*name + (p.before.Marked()+p.After.Marked())*mark
	for _, u := range p.Upserts {
		size += 2*name + u.Size()
	}
	if p.all != nil {
		for _, r := range p.all {
			size += name + r.Size()
		}
	}
	return size
}
