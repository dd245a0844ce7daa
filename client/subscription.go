package client

import (
	"maps"
	"slices"
	"strings"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
)

const wildcard = "*"

// maxUnanswered is how many responses of one type may wait for the
// application before the stream is no longer read.
const maxUnanswered = 64

type set = map[string]struct{}

// subscription is the client's side of the delta protocol for one type on one
// stream at a time. It is pure: no clock, no connection.
//
// Responses gather in pending, merged. The application takes them as a batch
// (hand), and its verdict (settle) decides what is held and what the server is
// told.
//
// INVARIANT: all updates that the application has accepted, applied in order,
// make what held says.
type subscription struct {
	url    string          // fixed at birth
	wanted set             // names, among them the wildcard
	held   map[string]held // what the application has accepted

	pending batch
	hand    *batch // with the application
	begun   bool   // the application has had its first update
	left    bool   // the application is gone; what comes is answered and dropped

	replies    []*discoveryv3.DeltaDiscoveryRequest // not yet sent
	unanswered int                                  // responses without a reply that was sent

	// Of the present stream.
	greeted bool
	told    set  // what the server knows to be wanted
	dropped set  // unsubscribed from since it was told
	expired set  // what ran out and was not sent again
	anew    bool // the stream must begin anew: what it was told turned out wrong
}

// held is a resource that the application has accepted, or knows not to exist.
type held struct {
	version string
	aliases []string
	hash    uint64
	expires time.Time // zero: never
	absent  bool
}

func newSubscription(url string, names []string) *subscription {
	s := &subscription{url: url, wanted: set{}, held: map[string]held{}}
	if len(names) == 0 {
		names = []string{wildcard}
	}
	s.subscribe(names)
	return s
}

func (s *subscription) subscribe(names []string) {
	for _, name := range names {
		s.wanted[name] = struct{}{}
	}
}

// unsubscribe takes names back. What was held of them is handed out as
// removed.
func (s *subscription) unsubscribe(names []string) {
	for _, name := range names {
		delete(s.wanted, name)
		if s.greeted {
			s.drop(name)
		}
	}
	for name, h := range s.held {
		if !s.wants(name, h.aliases) {
			s.forget(name, h)
		}
	}
	s.retract(func(c change) bool { return !s.wants(c.name, c.aliases) })
	if s.hand != nil {
		for name, c := range s.hand.changes {
			c.dropped = c.dropped || !s.wants(name, c.aliases)
			s.hand.changes[name] = c
		}
	}
}

// retract takes out of pending what the application need not hear of any
// more, but for removals of what it has.
func (s *subscription) retract(which func(change) bool) {
	for name, c := range s.pending.changes {
		switch {
		case !which(c):
		case c.forced:
			s.pending.changes[name] = change{name: name, forced: true}
		default:
			delete(s.pending.changes, name)
		}
	}
}

func (s *subscription) drop(name string) {
	if _, ok := s.told[name]; ok {
		if s.dropped == nil {
			s.dropped = set{}
		}
		s.dropped[name] = struct{}{}
	}
}

// forget gives up a resource and lets the application know, unless it will
// hear something newer.
func (s *subscription) forget(name string, h held) {
	delete(s.held, name)
	if h.absent {
		return
	}
	c, coming := s.pending.get(name)
	if !coming {
		c.name = name
	}
	c.forced = true
	s.pending.put(c)
}

// wants reports whether a resource belongs to the subscription: by its name,
// by the alias under which a virtual host was asked for, as the member of a
// glob collection (xDS protocol, "Subscribing to Resources"), or as any.
func (s *subscription) wants(name string, aliases []string) bool {
	if _, ok := s.wanted[wildcard]; ok {
		return true
	}
	if _, ok := s.wanted[name]; ok {
		return true
	}
	for _, alias := range aliases {
		if _, ok := s.wanted[alias]; ok {
			return true
		}
	}
	if i := strings.LastIndexByte(name, '/'); i >= 0 && strings.HasPrefix(name, "xdstp://") {
		rest := strings.IndexAny(name[i:], "?")
		glob := name[:i] + "/*"
		if rest >= 0 {
			glob += name[i+rest:]
		}
		_, ok := s.wanted[glob]
		return ok
	}
	return false
}

// begin prepares for a new stream. What was merged from the old one is
// forgotten, as the new server learns only of what is held; what the
// application is busy with counts as held.
func (s *subscription) begin() {
	s.greeted, s.told, s.dropped, s.expired, s.anew = false, nil, nil, nil, false
	s.replies, s.unanswered = nil, 0
	s.pending.nonces, s.pending.faults = nil, nil
	s.retract(func(change) bool { return true })
	if s.hand != nil {
		s.hand.nonces = nil
	}
}

// requests is what there is to say now, oldest first.
func (s *subscription) requests() []*discoveryv3.DeltaDiscoveryRequest {
	all := s.replies
	s.unanswered -= len(all)
	s.replies = nil
	if !s.greeted {
		if q := s.hello(); q != nil {
			all = append(all, q)
		}
		return all
	}
	if gone := s.gone(); len(gone) > 0 {
		all = append(all, &discoveryv3.DeltaDiscoveryRequest{TypeUrl: s.url, ResourceNamesUnsubscribe: gone})
		for _, name := range gone {
			delete(s.told, name)
		}
	}
	s.dropped = nil
	if added := s.added(); len(added) > 0 {
		all = append(all, &discoveryv3.DeltaDiscoveryRequest{TypeUrl: s.url, ResourceNamesSubscribe: added})
		for _, name := range added {
			s.told[name] = struct{}{}
		}
	}
	return all
}

// hello is the type's first request on a stream: all names, and what is held
// of them (xDS protocol, "Incremental xDS"). There is none while nothing is
// wanted, as an empty first request would mean everything.
func (s *subscription) hello() *discoveryv3.DeltaDiscoveryRequest {
	if len(s.wanted) == 0 {
		return nil
	}
	s.greeted, s.told = true, maps.Clone(s.wanted)
	versions := make(map[string]string, len(s.held))
	for name, h := range s.held {
		if !h.absent {
			versions[name] = h.version
		}
	}
	if s.hand != nil {
		s.hand.stale = true
		for name, c := range s.hand.changes {
			if c.body == nil || c.dropped {
				delete(versions, name)
			} else {
				versions[name] = c.version
			}
		}
	}
	return &discoveryv3.DeltaDiscoveryRequest{
		TypeUrl: s.url, ResourceNamesSubscribe: slices.Sorted(maps.Keys(s.wanted)), InitialResourceVersions: versions,
	}
}

// gone lists what the server must learn is no longer wanted, or was not for a
// while: what was held of it is forgotten and must come again.
func (s *subscription) gone() (names []string) {
	for name := range s.told {
		_, wanted := s.wanted[name]
		_, dropped := s.dropped[name]
		if !wanted || dropped {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// added lists what the server does not know to be wanted.
func (s *subscription) added() (names []string) {
	for name := range s.wanted {
		if _, ok := s.told[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// leave ends the subscription on a stream that goes on for other types.
func (s *subscription) leave() {
	s.left = true
	clear(s.wanted)
	for _, b := range []*batch{&s.pending, s.hand} {
		if b != nil {
			s.reply(b.nonces, nil)
		}
	}
	s.pending, s.hand, s.held = batch{}, nil, nil
}

// inherit continues on the stream on which old was left: the server may hold
// the old subscription for alive and must hear of its end first.
func (s *subscription) inherit(old *subscription) {
	s.greeted, s.told, s.dropped = old.greeted, old.told, maps.Clone(old.told)
	s.replies, s.unanswered = old.replies, old.unanswered
}

func (s *subscription) reply(nonces []string, reasons []error) {
	for _, nonce := range nonces {
		s.replies = append(s.replies, answer(s.url, nonce, reasons))
	}
}
