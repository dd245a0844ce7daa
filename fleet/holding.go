package fleet

import (
	"time"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/internal/invariant"
	"github.com/deltaplane/deltaplane/xds"
)

// Refusal is what a client said when it refused a response (xDS protocol,
// "ACK/NACK and resource type instance version": error_detail).
type Refusal struct {
	Version   deltaplane.Version `json:"version"` // that the response belonged to
	Time      time.Time          `json:"time"`
	Detail    string             `json:"detail"`              // the client's reason, at most 4 KiB
	Resources []string           `json:"resources,omitempty"` // in the response, at most 100
}

// holding is what one stream holds of one type.
//
// INVARIANT: while a refusal is in force, held is less than its version.
type holding struct {
	wildcard, subscribed bool
	names                int

	sent, acked, held deltaplane.Version // newest of each; held: all that the type had then is there
	sentAt, ackedAt   time.Time          // the last of each
	heldAt            time.Time          // held was raised
	changedAt         time.Time          // likewise, by a version that brought a response
	changing          bool               // a response was sent since
	inFlight          bool               // the last one sent has no answer
	refusal           *Refusal           // in force: nothing newer was accepted that could replace it; never changed
	withheld          deltaplane.Version // newest that lacks only what was refused; counts while the refusal is in force

	count counters
}

// counters add up over a node's streams.
type counters struct{ responses, acks, refusals, bytes uint64 }

func (c *counters) add(d counters) {
	c.responses += d.responses
	c.acks += d.acks
	c.refusals += d.refusals
	c.bytes += d.bytes
}

// apply takes one event in. For an acknowledgement it returns how long the
// client took.
func (h *holding) apply(e *xds.Event) (took time.Duration) {
	switch e.Kind {
	case xds.Subscribed:
		h.wildcard, h.names = e.Wildcard, e.Names
		h.subscribed = e.Wildcard || e.Names > 0
	case xds.Sent:
		h.sent, h.sentAt, h.inFlight = max(h.sent, e.Version), e.Time, true
		h.changing = true
		h.count.responses++
		h.count.bytes += uint64(max(e.Bytes, 0))
	case xds.Acked:
		if h.inFlight {
			took = e.Time.Sub(h.sentAt)
		}
		h.acked, h.ackedAt, h.inFlight = max(h.acked, e.Version), e.Time, false
		h.count.acks++
		if e.Standing && h.refusal != nil {
			break
		}
		if h.refusal != nil && h.refusal.Version < e.Version {
			h.refusal = nil
		}
		if !e.Partial {
			h.hold(before(e.Version), e.Time)
		}
	case xds.Refused:
		h.inFlight = false
		h.count.refusals++
		h.refusal = &Refusal{e.Version, e.Time, capText(e.Detail, maxDetail), capNames(e.Resources, maxDetail)}
		h.held, h.withheld = min(h.held, before(e.Version)), 0
	case xds.Withheld:
		h.withheld = max(h.withheld, e.Version)
	case xds.Current:
		if h.refusal != nil && h.refusal.Version <= e.Version {
			h.refusal = nil
		}
		h.hold(e.Version, e.Time)
		h.changing = false
	}
	if invariant.Enabled && h.refusal != nil {
		invariant.Check(h.held <= before(h.refusal.Version), "version %d is held and %d is refused", h.held, h.refusal.Version)
	}
	return took
}

// hold raises what is held. An acknowledgement alone does not raise it to the
// response's version: more of that version may follow, as of a large first
// load, or of removals. It does raise it to the version before, or a type in
// which every commit changes something would never hold anything.
func (h *holding) hold(v deltaplane.Version, at time.Time) {
	if v <= h.held && !h.heldAt.IsZero() {
		return
	}
	h.held, h.heldAt = max(h.held, v), at
	if h.changing || h.changedAt.IsZero() {
		h.changedAt = at
	}
}

// before is the version before v.
func before(v deltaplane.Version) deltaplane.Version { return max(v, 1) - 1 }

// state compares the holding with the store's newest version.
func (h *holding) state(latest deltaplane.Version) State {
	switch {
	case h.refusal != nil:
		return Refused
	case h.held >= latest:
		return InSync
	}
	return Behind
}

// since is when the state began, as far as events tell.
func (h *holding) since(s State) time.Time {
	switch {
	case s == Refused:
		return h.refusal.Time
	case s == Behind && h.inFlight:
		return h.sentAt
	case s == Behind:
		return h.heldAt
	}
	return h.changedAt
}

// worse reports whether h is further from the newest version than o.
func (h *holding) worse(o *holding, latest deltaplane.Version) bool {
	if a, b := h.state(latest), o.state(latest); a != b {
		return a.rank() > b.rank()
	}
	return h.held < o.held
}
