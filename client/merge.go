package client

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// take merges a response into what waits for the application. One that
// changes nothing is answered at once.
func (s *subscription) take(r response) {
	s.unanswered++
	if s.left {
		s.reply([]string{r.nonce}, nil)
		return
	}
	for _, c := range r.changes {
		s.merge(c)
	}
	p := &s.pending
	p.nonces = append(p.nonces, r.nonce)
	p.faults = append(p.faults, r.faults...)
	if len(p.changes) == 0 && (s.begun || len(p.faults) > 0) {
		s.settlePending()
	}
}

func (s *subscription) settlePending() {
	s.reply(s.pending.nonces, s.pending.faults)
	s.pending = batch{}
}

func (s *subscription) merge(c change) {
	switch {
	case c.beat:
		s.beat(c)
	case c.body != nil && !s.wants(c.name, c.aliases): // it crossed with an unsubscription
	case c.body == nil && !s.concerns(c.name): // nobody has ever heard of it
	default:
		delete(s.expired, c.name)
		s.pending.put(c)
	}
}

// concerns reports whether the application has, may get, or asked for a
// resource by name.
func (s *subscription) concerns(name string) bool {
	_, held := s.held[name]
	_, wanted := s.wanted[name]
	_, pending := s.pending.get(name)
	_, hand := s.hand.get(name)
	return held || wanted || pending || hand
}

// beat takes in a heartbeat: the newest that came of the resource lives on
// (xDS protocol, "TTL"). One for a resource that has run out means that the
// server believes the client to hold it: the stream must begin anew.
func (s *subscription) beat(c change) {
	for _, b := range []*batch{&s.pending, s.hand} {
		if known, ok := b.get(c.name); ok {
			if known.body != nil && known.version == c.version {
				known.expires = c.expires
				b.put(known)
			}
			return
		}
	}
	if h, ok := s.held[c.name]; ok && !h.absent {
		if h.version == c.version {
			h.expires = c.expires
			s.held[c.name] = h
		}
		return
	}
	if _, ok := s.expired[c.name]; ok {
		s.anew = true
	}
}

// next hands the application what has changed; nil if nothing has. What it
// holds already is left out. The first batch may be empty: the server has
// answered, and has nothing. settle must be called for it before next is
// called again.
// Cost: O(merged changes).
func (s *subscription) next() *batch {
	if s.anew { // or it would be with the application when the server is told what is held
		return nil
	}
	for name, c := range s.pending.changes {
		if s.known(c) {
			delete(s.pending.changes, name)
		}
	}
	if len(s.pending.changes) == 0 {
		if s.begun {
			s.settlePending()
		}
		if len(s.pending.nonces) == 0 {
			return nil
		}
	}
	s.begun = true
	b := s.pending
	s.pending, s.hand = batch{}, &b
	return s.hand
}

// known reports whether the application has c already. If so only its life
// may have changed.
func (s *subscription) known(c change) bool {
	h, ok := s.held[c.name]
	switch {
	case c.forced:
		return false
	case c.body == nil:
		_, wanted := s.wanted[c.name]
		return ok && h.absent || !ok && !wanted
	case !ok || h.absent || c.version == "" || c.version != h.version || c.hash != h.hash:
		return false
	}
	h.expires = c.expires
	s.held[c.name] = h
	return true
}

// settle takes in the application's verdict about the batch in its hand: why
// it refuses some by name, or with all not nil each of them. What it refuses
// stays at the last good version.
func (s *subscription) settle(refused map[string]error, all []error) {
	b := s.hand
	if b == nil {
		return
	}
	s.hand = nil
	reasons := slices.Concat(b.faults, all)
	for _, name := range slices.Sorted(maps.Keys(b.changes)) {
		c := b.changes[name]
		if err := refused[name]; err != nil {
			reasons = append(reasons, fmt.Errorf("%s: %w", name, err))
		}
		switch {
		case refused[name] == nil && len(all) == 0:
			s.accept(c)
		case c.forced: // there is no last good version to stay at
			s.forget(name, held{})
		}
	}
	s.reply(b.nonces, reasons)
	if b.stale && len(reasons) > len(b.faults) {
		s.anew = true
	}
}

func (s *subscription) accept(c change) {
	_, wanted := s.wanted[c.name]
	switch {
	case c.body != nil && c.dropped: // if it is wanted again, it comes again
		s.forget(c.name, held{})
	case c.body != nil:
		s.held[c.name] = held{version: c.version, aliases: c.aliases, hash: c.hash, expires: c.expires}
	case wanted:
		s.held[c.name] = held{absent: true}
	default:
		delete(s.held, c.name)
	}
}

// expire hands out as removed what has outlived its time.
func (s *subscription) expire(now time.Time) {
	for name, h := range s.held {
		if h.expires.IsZero() || now.Before(h.expires) || s.renewed(name) {
			continue
		}
		s.forget(name, h)
		if s.expired == nil {
			s.expired = set{}
		}
		s.expired[name] = struct{}{}
	}
}

// renewed reports whether something newer is on its way to the application.
func (s *subscription) renewed(name string) bool {
	_, pending := s.pending.get(name)
	_, hand := s.hand.get(name)
	return pending || hand
}

// nextExpiry is when expire has something to do; zero if never.
// Cost: O(held).
func (s *subscription) nextExpiry() (at time.Time) {
	for name, h := range s.held {
		if !h.expires.IsZero() && (at.IsZero() || h.expires.Before(at)) && !s.renewed(name) {
			at = h.expires
		}
	}
	return at
}
