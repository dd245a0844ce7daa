package fleet

import (
	"container/list"
	"fmt"
	"slices"
	"sync"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"

	"github.com/deltaplane/deltaplane/xds"
)

// node is one proxy, over all of its streams: an aggregated one, one per type,
// or, while Envoy restarts hot, those of two processes.
type node struct {
	id string

	// Guarded by the fleet's mu.
	goneAt    time.Time
	departure *list.Element // nil while connected

	mu        sync.Mutex // guards what follows; before it only the fleet's mu
	streams   []*stream  // open ones
	cluster   string
	agent     string
	peer      string
	fleet     string
	retained  bool
	asWritten string
	since     time.Time       // of the first open stream, or of the disconnect
	past      [slots]*holding // of streams that are closed; nil: none had the type
	pastTypes slotSet         // what was held when the last stream ended
	tickets   []*ticket       // of those who wait for this node
}

// stream is one open stream. What it holds is guarded by its node's mu.
type stream struct {
	id         uint64
	node       *node // nil: not tracked
	ads, delta bool
	holdings   [slots]*holding // nil: never subscribed
	rest       xds.Rest        // says how far what it holds has come; nil: its events do
}

// catchUpLocked takes in how far what s holds has come since its last event.
// Its node's mu is held.
func (s *stream) catchUpLocked() {
	if s.rest == nil {
		return
	}
	version, since := s.rest.Reached()
	for _, h := range s.holdings {
		if h != nil && h.subscribed {
			h.hold(version, since)
		}
	}
}

// catchUpLocked does so for all of n's streams. n.mu is held.
func (n *node) catchUpLocked() {
	for _, s := range n.streams {
		s.catchUpLocked()
	}
}

// fresh reports whether no subscription has come yet.
func (s *stream) fresh() bool { return s.holdings == [slots]*holding{} }

// succeeds reports whether s may carry what a closed stream of its node did:
// a client can be back before the loss of its old stream is noticed.
func (s *stream) succeeds(closed *stream) bool { return s.fresh() || s.ads && closed.ads }

// openLocked adds a stream. n.mu is held.
func (n *node) openLocked(s *stream, e *xds.Event) {
	if len(n.streams) == 0 {
		n.since, n.pastTypes = e.Time, 0
	}
	n.streams = append(n.streams, s)
	n.cluster = capText(e.Node.GetCluster(), maxName)
	n.agent = capText(agentOf(e.Node), maxName)
	n.peer = capText(e.Peer, maxName)
	n.assignLocked(e)
}

// closeLocked removes a stream and keeps what it held: in full when it was the
// last, else its counters alone. n.mu is held.
func (n *node) closeLocked(s *stream, e *xds.Event) {
	s.catchUpLocked()
	n.streams = slices.DeleteFunc(n.streams, func(o *stream) bool { return o == s })
	onPurpose := len(n.streams) > 0 && !slices.ContainsFunc(n.streams, func(o *stream) bool { return o.succeeds(s) })
	for t, h := range s.holdings {
		if h == nil {
			continue
		}
		if past := n.past[t]; past != nil {
			h.count.add(past.count)
		}
		n.past[t] = h
		if h.subscribed {
			n.pastTypes = n.pastTypes.with(slot(t))
		}
		if onPurpose {
			n.excuseLocked(slot(t))
		}
	}
	if len(n.streams) > 0 {
		return
	}
	n.since = e.Time
	for _, h := range n.past {
		if h != nil && h.refusal != nil {
			r := *h.refusal
			r.Detail, r.Resources = capText(r.Detail, maxOldDetail), capNames(r.Resources, maxOldDetail)
			h.refusal = &r
		}
	}
}

// updateLocked takes in an event of one type. For an acknowledgement it
// returns how long it took. n.mu is held.
func (n *node) updateLocked(s *stream, t slot, e *xds.Event) time.Duration {
	n.assignLocked(e)
	h := s.holdings[t]
	if h == nil {
		h = &holding{subscribed: true}
		s.holdings[t] = h
	}
	took := h.apply(e)
	if !h.subscribed {
		n.excuseLocked(t)
	}
	return took
}

// currentLocked takes in that s holds all that it subscribes to. n.mu is held.
func (n *node) currentLocked(s *stream, e *xds.Event) {
	n.assignLocked(e)
	for _, h := range s.holdings {
		if h != nil && h.subscribed {
			h.apply(e)
		}
	}
}

// assignLocked notes the fleet that the node is in. n.mu is held.
func (n *node) assignLocked(e *xds.Event) {
	if n.fleet != e.Fleet {
		n.fleet = capText(e.Fleet, maxName)
	}
	n.retained, n.asWritten = e.Retained, e.AsWritten
}

// agentOf names the client and its version: "envoy 1.40.0".
func agentOf(n *corev3.Node) string {
	version := n.GetUserAgentVersion()
	if v := n.GetUserAgentBuildVersion().GetVersion(); v != nil {
		version = fmt.Sprintf("%d.%d.%d", v.GetMajorNumber(), v.GetMinorNumber(), v.GetPatch())
	}
	if version == "" {
		return n.GetUserAgentName()
	}
	return n.GetUserAgentName() + " " + version
}
