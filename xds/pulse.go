package xds

import (
	"sync"
	"time"

	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
	"github.com/deltaplane/deltaplane/wire"
)

// pulse is a heartbeat for clients in one state. It is immutable.
type pulse struct {
	names []string    // that it tells of
	frame *wire.Frame // nil if there is nothing to tell
}

// pulseKey identifies a pulse: equal keys lead to equal ones.
type pulseKey struct {
	typ    resource.Type
	delta  bool
	held   view.Key
	sub    *view.Subscription
	ttl    time.Duration
	flight *plan
	after  *plan // state of the world: whose version it has
}

// pulses keeps heartbeats, and which TTLs there are, so that streams in the
// same state find out and encode once.
// Any goroutine may call.
type pulses struct {
	mu    sync.Mutex
	byKey map[pulseKey]*pulse
	ttls  map[ttlKey]map[time.Duration]bool
}

// ttlKey identifies what a client holds.
type ttlKey struct {
	held view.Key
	sub  *view.Subscription
}

// maxPulses is how many are kept; then all are forgotten.
const maxPulses = 1024

// find is the pulse for key, made by make if nobody has made it yet.
func (p *pulses) find(key pulseKey, build func() *pulse) (found *pulse, cached bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if found := p.byKey[key]; found != nil {
		return found, true
	}
	if p.byKey == nil || len(p.byKey) >= maxPulses {
		p.byKey = map[pulseKey]*pulse{}
	}
	found = build()
	p.byKey[key] = found
	return found, false
}

// pulse is the heartbeat for what l's client holds of one TTL, but for what
// is in flight.
func (c *conversation) pulse(l *lane, ttl time.Duration) (p *pulse, cached bool) {
	key := pulseKey{typ: l.typ, delta: c.delta, held: l.held.Key(), sub: l.sub, ttl: ttl, after: l.vitals.accepted}
	if l.flight != nil {
		key.flight = l.flight.plan
	}
	if l.held.Marked() > 0 {
		return c.makePulse(l, key), false
	}
	return c.common.pulses.find(key, func() *pulse { return c.makePulse(l, key) })
}

// makePulse tells of resources by name alone if the client may know their
// versions, else as a whole.
func (c *conversation) makePulse(l *lane, key pulseKey) *pulse {
	p := &pulse{}
	var bare, whole []*view.Resource
	for name, r := range l.held.Mortal(l.sub) {
		if r.TTL() != key.ttl {
			continue
		}
		if key.flight != nil {
			if _, flying := key.flight.content()[name]; flying {
				continue
			}
		}
		p.names = append(p.names, name)
		if c.delta && (l.sub.Named(name) || l.sub.Wildcard() && !resource.IsURN(name)) {
			bare = append(bare, r)
		} else {
			whole = append(whole, r)
		}
	}
	switch {
	case len(p.names) == 0:
	case c.delta:
		p.frame = wire.Heartbeat(l.typ, hexOf(c.view.Table(l.typ).Hash()), c.common.identifier, bare, whole)
	case key.after != nil:
		accepted, _ := key.after.Frame()
		p.frame = wire.SotW(l.typ, accepted.Version(), c.common.identifier, whole)
	}
	return p
}

// shortestTTL is that of the upserts in the response; 0 if none has one.
func (p *plan) shortestTTL() time.Duration {
	p.ttlOnce.Do(func() {
		note := func(ttl time.Duration) {
			if ttl > 0 && (p.ttl == 0 || ttl < p.ttl) {
				p.ttl = ttl
			}
		}
		for _, u := range p.Upserts {
			note(u.TTL())
		}
		for _, r := range p.all {
			note(r.TTL())
		}
	})
	return p.ttl
}

// forget drops what is kept.
func (p *pulses) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.byKey, p.ttls = nil, nil
}

// ttls are the TTLs of what l's client holds.
func (c *conversation) ttls(l *lane) map[time.Duration]bool {
	if l.held.Immortal() {
		return nil
	}
	if l.held.Marked() > 0 { // hardly anybody else is in this state, and to keep it is dear
		return l.held.TTLs(l.sub)
	}
	p, key := &c.common.pulses, ttlKey{l.held.Key(), l.sub}
	p.mu.Lock()
	defer p.mu.Unlock()
	if found, ok := p.ttls[key]; ok {
		return found
	}
	if p.ttls == nil || len(p.ttls) >= maxPulses {
		p.ttls = map[ttlKey]map[time.Duration]bool{}
	}
	p.ttls[key] = l.held.TTLs(l.sub)
	return p.ttls[key]
}

// expires reports whether clients are told of the TTLs of t's resources.
func (c *conversation) expires(t resource.Type) bool { return c.delta || wire.ExpiresInSotW(t) }

// mortal is what of l's target has a TTL.
func (c *conversation) mortal(l *lane, target view.Table) view.Table {
	if !c.expires(l.typ) {
		return view.Table{}
	}
	mortal, now := c.view.Mortal(l.typ), l.target(c.view)
	if now.Hash() == target.Hash() {
		return mortal
	}
	x := mortal.Txn() // target keeps more than the view has
	for d := range radix.Diff(now, target) {
		if d.New != nil && d.New.TTL() > 0 {
			x.Put(d.Key, d.New)
		}
	}
	return x.Commit()
}

// age lets go of what is kept for the versions before the newest.
func (c *common) age() {
	c.fanout.age()
	c.pulses.forget()
	c.preloads.forget()
	c.resumed.Age()
}
