package xds

import (
	"cmp"
	"slices"
	"time"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/internal/invariant"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
	"github.com/deltaplane/deltaplane/wire"
)

// common is what the conversations of one server share.
type common struct {
	interner view.Interner
	resumed  view.Resumptions
	claims   claims
	fanout   fanout
	pulses   pulses
	preloads preloads
	watch    stopwatch

	identifier    string // of the control plane
	patience      time.Duration
	drain         time.Duration
	maxResponse   int
	maxNames      int
	maxNamesInAll int
}

// conversation is the state of one stream: requests and views go in,
// responses come out. It knows no gRPC and no clock, and is for one goroutine
// at a time.
type conversation struct {
	// Fixed at birth.
	common  *common
	delta   bool
	only    resource.Type // "" on the aggregated service
	prefix  string        // of nonces
	observe func(Event)

	envoy     bool    // the client says that it is one
	lanes     []*lane // in the order of additions
	nonces    uint64
	lingering *lingering // nil: nothing
	leading   *leading   // nil: no listener is to be sent
	view      *view.View
	version   deltaplane.Version // that the client is to be at; the view may be older if it is retained
	keep      bool               // remove nothing: the client has lost its fleet
	through   uint64             // of the bytes handed over: where the last answered response ended
}

// send is a response that next decided to send.
type send struct {
	lane      *lane
	plan      *plan // nil for a heartbeat
	response  *wire.Response
	cached    bool // somebody else had it encoded
	pushed    bool // it brings news, rather than what was asked for
	heartbeat bool // it brings no news
}

// show makes v what the client should hold.
func (c *conversation) show(v *view.View, version deltaplane.Version, keep bool) {
	c.view, c.version, c.keep = v, version, keep
}

// dispatch is all that is made for one response: in one piece, as each stream
// makes one for each change.
type dispatch struct {
	send     send
	response wire.Response
	flight   flight
}

// receive takes in what the client says, and reports whether it asks for
// something, rather than only answers. The error, a gRPC status, ends the
// stream. show must have been called before.
func (c *conversation) receive(q request) (asks bool, err error) {
	t, err := q.typeOf(c.only)
	if err != nil {
		return false, err
	}
	if err := c.checkSizes(t, q); err != nil {
		return false, err
	}
	l := c.lane(t)
	first := l == nil
	if first {
		if len(c.lanes) == maxTypes {
			return false, exhausted("%d types on one stream, at most %d are allowed", maxTypes+1, maxTypes)
		}
		l = &lane{typ: t, sub: c.common.interner.Of(false, nil), last: before(c.version)}
		c.lanes = append(c.lanes, l)
		slices.SortStableFunc(c.lanes, func(a, b *lane) int { return cmp.Compare(rankOf(a.typ), rankOf(b.typ)) })
	} else {
		c.acknowledge(l, q)
	}
	subscribe, old := c.subscribeSotW, l.sub
	if c.delta {
		subscribe = c.subscribeDelta
	}
	if err := subscribe(l, q, first); err != nil {
		return false, err
	}
	if clusters := c.lane(resource.Cluster); first && t == resource.Endpoint && clusters != nil && clusters.flight != nil {
		c.rewarm(clusters.flight.plan) // it was sent before we heard of the endpoints
	}
	return first || l.owes || l.sub != old || len(q.subscribe)+len(q.unsubscribe) > 0, nil
}

// lane is t's part, nil if the client never asked for t.
func (c *conversation) lane(t resource.Type) *lane {
	for _, l := range c.lanes {
		if l.typ == t {
			return l
		}
	}
	return nil
}

// subscribe makes l's subscription sub, which the lane then holds.
func (c *conversation) subscribe(l *lane, sub *view.Subscription, first bool) {
	changed := sub != l.sub
	c.common.interner.Release(l.sub)
	l.sub = sub
	if changed && l.typ == resource.VirtualHost {
		l.held = l.held.Rescoped(sub)
	}
	if changed || first {
		c.observe(Event{Kind: Subscribed, Type: l.typ, Version: c.version, Wildcard: sub.Wildcard(), Names: len(sub.Names())})
	}
}

// next is the response to send now, nil if there is none. What it returns
// counts as sent. Call it again after each receive, show and send, and when
// wake has come.
func (c *conversation) next(now time.Time) *send {
	if c.unmoved(now) {
		if invariant.Enabled {
			invariant.Check(c.respond(now) == nil, "version %d was taken to have nothing for the client, but it has", c.version)
		}
		return nil
	}
	return c.respond(now)
}

// respond is next without its shortcut.
func (c *conversation) respond(now time.Time) *send {
	c.reportOverdue(now)
	c.survey(now)
	c.preload(now)
	c.linger(now)
	c.crossing(now)
	c.lead(now)
	var room [fewTypes]standing
	all := c.standings(room[:0], now)
	for i, l := range c.lanes {
		if l.flight == nil && l.subscribed() && (all[i].adds || l.owes) && c.mayAdd(l, all) {
			p := all[i].plan
			if c.mayRemove(l, p, all) {
				p = c.plan(l, true, now)
			}
			if s := c.sendPart(l, p, now); s != nil {
				return s
			}
		}
	}
	for i, l := range c.lanes {
		if l.flight == nil && all[i].removes && c.mayRemove(l, all[i].plan, all) {
			if s := c.sendPart(l, c.plan(l, true, now), now); s != nil {
				return s
			}
		}
	}
	c.reportCurrent(all)
	return c.keepAlive(now)
}

// mayRemove reports whether removals that wait in l's plan may go out now.
func (c *conversation) mayRemove(l *lane, p *plan, all []standing) bool {
	return !c.keep && p != nil && len(p.Waiting) > 0 && mayRemove(l.typ, p, all)
}

// sendPart takes off what l may send of p, nil for nothing.
func (c *conversation) sendPart(l *lane, p *plan, now time.Time) *send {
	if p == nil || !c.tells(l, p) && (!l.owes || len(p.Gated) > 0) {
		return nil
	}
	if !c.delta && l.typ.FullState() {
		l.refused = nil // all of it goes again
	}
	d := &dispatch{send: send{lane: l, plan: p, pushed: !l.owes && !l.held.Fresh()}}
	s := &d.send
	began := c.common.watch.begin()
	frame, cached := p.Frame()
	if !cached {
		c.common.watch.end(began, Work{Kind: Encoded, Version: c.version, Type: l.typ, Bytes: frame.Size()})
	}
	s.cached = cached
	d.response = wire.Response{Frame: frame, Nonce: c.nonce()}
	s.response = &d.response
	l.flight = &d.flight
	*l.flight = flight{plan: p, since: now, handed: c.common.watch.begin(), version: c.version, after: l.reached(c.version), pushed: s.pushed, view: c.view}
	l.flight.partial = c.partial(l, p, now)
	if l.typ == resource.Listener {
		l.latest = l.flight
	}
	l.held, l.owes, l.nonce, l.last, l.current = p.After, false, s.response.Nonce, c.version, 0
	if l.typ == resource.Cluster {
		c.rewarm(p)
	}
	c.observe(l.flight.answered(Event{
		Kind: Sent, Type: l.typ,
		Upserts: len(p.Upserts), Removed: len(p.Removed) + len(p.Missing), Bytes: frame.Size(),
	}))
	return s
}

// partial reports whether p is not all that the client is to have at c.version,
// but for removals and for what somebody has refused.
func (c *conversation) partial(l *lane, p *plan, now time.Time) bool {
	waits := len(p.Gated) > 0 && l.refused == nil && c.gate(l, now).refused == nil
	return p.More || waits || l.bridge.needed || l.preloading != nil
}

// standings says where each lane stands. A lane that waits for an answer is
// taken to have more to add unless it is in sync: what that is, each request
// of the client may change, and it cannot go out yet. all has room for those of
// most clients.
func (c *conversation) standings(all []standing, now time.Time) []standing {
	for _, l := range c.lanes {
		s := standing{typ: l.typ}
		switch {
		case c.waitsFor(l, now):
			s.inFlight = len(l.flight.plan.Upserts) > 0
			s.adds = l.subscribed() && !l.held.InSync(c.target(l))
			s.refused = l.refused
		case l.subscribed() && l.flight == nil:
			if p := c.plan(l, false, now); p != nil {
				s.plan = p
				s.adds = c.tells(l, p) || len(p.Gated) > 0 && l.refused == nil
				s.removes = len(p.Waiting) > 0
			}
			s.adds = s.adds || l.preloading != nil
			s.refused = l.refused
		} // any other holds nobody up
		s.bridged = l.bridge.extends(l.target(c.view))
		all = append(all, s)
	}
	return all
}

// waitsFor reports whether others should wait for l's response: not for ever.
func (c *conversation) waitsFor(l *lane, now time.Time) bool {
	return l.flight != nil && now.Sub(l.flight.since) < c.common.patience
}

// wake is when to call next although nothing happened; ok is false if never.
func (c *conversation) wake(now time.Time) (at time.Time, ok bool) {
	at, ok = c.nextBeat(now)
	if end, drains := c.lingering.end(); drains && (!ok || end.Before(at)) {
		at, ok = end, true
	}
	if end, waits := c.leadEnd(); waits && (!ok || end.Before(at)) {
		at, ok = end, true
	}
	for _, l := range c.lanes {
		if c.waitsFor(l, now) {
			if end := l.flight.since.Add(c.common.patience); !ok || end.Before(at) {
				at, ok = end, true
			}
		}
		if l.preloading == nil {
			continue
		}
		for _, since := range l.preloading.since {
			if end := since.Add(c.common.patience); end.After(now) && (!ok || end.Before(at)) {
				at, ok = end, true
			}
		}
	}
	return at, ok
}

// plan decides what l would send; nil if the client is in sync. It is made
// once for all streams in the same state.
func (c *conversation) plan(l *lane, removals bool, now time.Time) *plan {
	target := c.target(l)
	if hash := target.Hash(); l.refused != nil && l.checked != hash {
		l.refused, l.checked = l.refused.standing(target), hash
	}
	if l.held.InSync(target) && !l.owes {
		l.isolate = false
		return nil
	}
	removals = removals || c.only != "" && !c.keep // a type alone has nothing to wait for
	key := fanoutKey{
		typ: l.typ, delta: c.delta, held: l.held.Key(), target: target.Hash(), sub: l.sub,
		removals: removals, refused: l.refused, isolate: l.isolate, gate: c.gate(l, now),
	}
	switch l.typ {
	case resource.Cluster:
		key.besides = c.lingering.key()
	case resource.Listener:
		key.besides = c.leading.key()
	}
	p := c.common.fanout.plan(key, func() *plan {
		began := c.common.watch.begin()
		p := c.decide(l, target, key)
		if !p.Empty() {
			c.common.watch.end(began, Work{Kind: Diffed, Version: c.version, Type: l.typ})
		}
		return p
	})
	if p.Empty() && !l.owes && p.Settled() {
		l.held = p.After // only the version moved
		c.settle(l)
		return nil
	}
	return p
}

func (c *conversation) decide(l *lane, target view.Table, key fanoutKey) *plan {
	if c.delta {
		return c.decideDelta(l, target, key)
	}
	return c.decideSotW(l, target, key)
}

// gate is what l's resources have to wait for.
func (c *conversation) gate(l *lane, now time.Time) gate {
	clusters := c.lane(resource.Cluster)
	if c.only != "" || clusters == nil || !refersToClusters(l.typ) {
		return gate{}
	}
	var g gate
	if clusters.refused != nil && clusters.subscribed() { // whoever wants none has nothing against any
		g.refused = clusters.refused.plan
	}
	if c.waitsFor(clusters, now) {
		g.flight = clusters.flight.plan
		if clusters.subscribed() {
			g.pending = c.plan(clusters, false, now)
		}
	}
	return g
}

// reportOverdue tells of responses that nobody waits for any more.
func (c *conversation) reportOverdue(now time.Time) {
	for _, l := range c.lanes {
		if l.flight != nil && !l.flight.overdue && !c.waitsFor(l, now) {
			l.flight.overdue = true
			c.observe(l.flight.answered(Event{Kind: Overdue, Type: l.typ}))
		}
	}
}

// reportCurrent tells which types have become current with nothing to send,
// or have nothing to send but what was refused; once for all types if that
// leaves nothing to be done.
func (c *conversation) reportCurrent(all []standing) {
	var room [fewTypes]*lane
	reached := room[:0]
	for i, l := range c.lanes {
		s := all[i]
		if l.flight != nil || !l.subscribed() || l.owes || s.adds || l.current >= c.version {
			continue
		}
		switch {
		case s.refused != nil:
			l.current = c.version
			c.observe(Event{Kind: Withheld, Type: l.typ, Version: c.version})
			continue
		case s.removes && !c.keep && c.lingering == nil:
			continue
		case l.bridge.needed && !l.held.InSync(l.target(c.view)):
			continue // it has hosts that are gone
		}
		l.current = c.version
		reached = append(reached, l)
	}
	if len(reached) > 0 && c.atRest() {
		c.observe(Event{Kind: Current, Version: c.version})
		return
	}
	for _, l := range reached {
		c.observe(Event{Kind: Current, Type: l.typ, Version: c.version})
	}
}

// resync forgets all refusals, so that what was refused is sent again.
func (c *conversation) resync() {
	for _, l := range c.lanes {
		l.refused = nil
	}
}

// close gives back what the conversation shares.
func (c *conversation) close() {
	for _, l := range c.lanes {
		c.release(l)
		c.common.interner.Release(l.sub)
		l.sub = nil
	}
	c.lanes = nil
}

// tells reports whether p has anything that l's variant can tell.
func (c *conversation) tells(l *lane, p *plan) bool {
	if !c.delta && l.typ.FullState() && len(p.Gated) > 0 {
		return false // all or nothing
	}
	return !p.Empty()
}
