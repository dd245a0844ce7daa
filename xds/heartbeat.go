package xds

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/deltaplane/deltaplane/view"
	"github.com/deltaplane/deltaplane/wire"
)

// This file keeps resources with a TTL alive at the clients that hold them
// (xDS protocol, "TTL"). About every third of a TTL a delta client is told
// names and versions, without a body. Where Envoy takes that for something
// else, they go again as they are:
//
//   - In state of the world. There, clusters and listeners that come without a
//     body count as removed, and the TTL of other types stays as it was.
//   - To members of a glob collection, of which Envoy keeps no versions: it
//     refuses a heartbeat.
//   - While a response is unanswered, as that of clusters is while one of them
//     warms, it goes out again for what is in it.
//
// A heartbeat is for what the client has accepted: not for a version that it
// refused, but for the one before that. It is no news: no Event tells of it.

// maxBeats is how many heartbeats of one type may be unanswered. To a client
// whose connection takes nothing, none is sent.
const maxBeats = 64

// vitals is when one lane's client must be told next that what it holds lives
// on. Where nothing has a TTL it is empty.
type vitals struct {
	of       view.Key           // the state of the lane that groups belong to
	by       *view.Subscription // likewise
	groups   []group
	beats    []beat    // unanswered, in order
	accepted *plan     // state of the world: the last one that was
	flight   *flight   // that repeat is for; nil if nothing in it has a TTL
	repeat   time.Time // when flight goes out again
}

// group is all that has one TTL.
type group struct {
	ttl   time.Duration
	due   time.Time
	alive time.Time // when the last heartbeat that was answered went out
}

// beat is one heartbeat on its way.
type beat struct {
	nonce string
	ttl   time.Duration
	since time.Time
	names []string // that it tells of
	heard bool     // answered
}

// keepAlive is the heartbeat to send now, nil if there is none. What it
// returns counts as sent.
func (c *conversation) keepAlive(now time.Time) *send {
	for _, l := range c.lanes {
		v := &l.vitals
		if v.flight != nil && !now.Before(v.repeat) && c.waitsFor(l, now) {
			v.repeat = c.later(now, v.flight.plan.shortestTTL())
			return c.again(l, v.flight.plan)
		}
		for i := range v.groups {
			g := &v.groups[i]
			if now.Before(g.due) {
				continue
			}
			if !c.delta && l.flight != nil {
				g.due = now.Add(g.ttl / 12) // its version is in the balance
				continue
			}
			g.due = c.later(now, g.ttl)
			if s := c.beat(l, g, now); s != nil {
				return s
			}
		}
	}
	return nil
}

// beat is a heartbeat for all that l's client holds of one TTL; nil if there
// is nothing to tell, or the client answers none.
func (c *conversation) beat(l *lane, g *group, now time.Time) *send {
	v := &l.vitals
	if len(v.beats) >= maxBeats {
		return nil
	}
	var s *send
	var names []string
	if !c.delta && l.typ.FullState() {
		if v.accepted == nil {
			return nil
		}
		s = c.again(l, v.accepted)
	} else {
		p, cached := c.pulse(l, g.ttl)
		if p.frame == nil {
			return nil
		}
		names = p.names
		s = c.heartbeat(l, p.frame, cached)
		if !c.delta {
			l.nonce = s.response.Nonce
		}
	}
	v.beats = append(v.beats, beat{nonce: s.response.Nonce, ttl: g.ttl, since: now, names: names})
	return s
}

// again sends p's response once more: that in flight, or the one that the
// client has accepted. The answer to this one is what counts.
func (c *conversation) again(l *lane, p *plan) *send {
	frame, cached := p.Frame()
	s := c.heartbeat(l, frame, cached)
	l.nonce = s.response.Nonce
	return s
}

func (c *conversation) heartbeat(l *lane, frame *wire.Frame, cached bool) *send {
	return &send{lane: l, cached: cached, heartbeat: true, response: &wire.Response{Frame: frame, Nonce: c.nonce()}}
}

// survey brings all vitals up to what the client holds, and takes in its
// answers. It may find that something has to be sent anew.
// Cost: O(1) for each lane unless it has changed.
func (c *conversation) survey(now time.Time) {
	for _, l := range c.lanes {
		if !c.expires(l.typ) {
			continue
		}
		v := &l.vitals
		c.settleBeats(l, now)
		if of := l.held.Key(); v.of != of || v.by != l.sub {
			v.of, v.by = of, l.sub
			c.regroup(v, c.ttls(l), now)
		}
		if len(v.groups) == 0 {
			v.beats, v.accepted, v.flight = nil, nil, nil
			continue
		}
		if v.flight != l.flight {
			v.flight = nil
			if l.flight != nil && l.flight.plan.shortestTTL() > 0 {
				v.flight, v.repeat = l.flight, c.later(l.flight.since, l.flight.plan.shortestTTL())
			}
		}
	}
}

// regroup makes v have a group for each of ttls; those that go on keep time.
func (c *conversation) regroup(v *vitals, ttls map[time.Duration]bool, now time.Time) {
	if len(ttls) == 0 { // of nearly everybody, with each version
		v.groups = nil
		return
	}
	v.groups = slices.DeleteFunc(v.groups, func(g group) bool { return !ttls[g.ttl] })
	if len(ttls) == 0 {
		return
	}
	for _, ttl := range slices.Sorted(maps.Keys(ttls)) {
		if !slices.ContainsFunc(v.groups, func(g group) bool { return g.ttl == ttl }) {
			v.groups = append(v.groups, group{ttl: ttl, due: c.later(now, ttl), alive: now})
		}
	}
}

// later is when a heartbeat follows what goes out now: after a third of the
// TTL, less up to a fifth of that, so that streams do not beat as one.
func (c *conversation) later(now time.Time, ttl time.Duration) time.Time {
	third := ttl / 3
	spread := xxh3.HashString(c.prefix+strconv.FormatUint(c.nonces, 36)) % 1024
	return now.Add(third - third/5/1024*time.Duration(spread))
}

// settleBeats takes in the answers to heartbeats. Where one came so late that
// the TTL may have run out before, the resources go again as a whole.
func (c *conversation) settleBeats(l *lane, now time.Time) {
	v := &l.vitals
	for len(v.beats) > 0 && v.beats[0].heard {
		b := v.beats[0]
		v.beats = v.beats[1:]
		i := slices.IndexFunc(v.groups, func(g group) bool { return g.ttl == b.ttl })
		if i < 0 {
			continue
		}
		g := &v.groups[i]
		if now.Sub(g.alive) >= g.ttl && len(b.names) > 0 {
			l.held = l.held.Unknown(slices.Values(b.names), l.held)
			b.since = now
		}
		g.alive = b.since
	}
}

// hear takes in the answer to a heartbeat, if q is one. A delta client that
// refuses one does not have what it is about, which then goes as a whole.
func (c *conversation) hear(l *lane, q request) {
	beats := l.vitals.beats
	i := slices.IndexFunc(beats, func(b beat) bool { return b.nonce == q.nonce })
	if i < 0 {
		return
	}
	for j := range i + 1 { // answers come in order
		beats[j].heard = true
	}
	if c.delta && q.refusal != nil {
		l.held = l.held.Unknown(slices.Values(beats[i].names), l.held)
	}
}

// nextBeat is when keepAlive has something to send; ok is false if never.
func (c *conversation) nextBeat(now time.Time) (at time.Time, ok bool) {
	sooner := func(t time.Time) {
		if !ok || t.Before(at) {
			at, ok = t, true
		}
	}
	for _, l := range c.lanes {
		if l.vitals.flight != nil && c.waitsFor(l, now) {
			sooner(l.vitals.repeat)
		}
		for _, g := range l.vitals.groups {
			sooner(g.due)
		}
	}
	return at, ok
}
