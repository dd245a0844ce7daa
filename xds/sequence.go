package xds

import (
	"maps"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
)

// This file is make-before-break on the aggregated stream (xDS protocol,
// "Eventual consistency considerations"): clusters, endpoints, listeners,
// routes are added in this order. Once everything added has been acknowledged,
// what refers is removed before what is referred to; a client takes the
// messages of a stream in their order, so removals do not wait for each other.
//
// Envoy withholds the acknowledgement of clusters while any of them warms. So
// nothing waits for it but a resource that mentions a cluster of the response
// which the client did not have before; endpoints, which end the warming,
// never wait, and listeners warm until their routes come.

// standing is what the order needs to know of one type.
type standing struct {
	typ      resource.Type
	adds     bool  // has something to send besides removals, or is held by the gate
	removes  bool  // has removals to send
	inFlight bool  // additions are neither accepted nor refused, and not overdue
	plan     *plan // of additions, for who has no response in flight; nil: nothing
	bridged  bool  // the client has hosts besides, until scopes have followed
	refused  *refusal
}

// mayRemove reports whether t's removals, which wait in p, may go out now.
// all has t too.
func mayRemove(t resource.Type, p *plan, all []standing) bool {
	for _, s := range all {
		switch {
		case s.typ == t:
		case s.adds || s.inFlight:
			return false // break only after make
		case breaksBefore(s.typ, t) && s.removes:
			return false
		case t == resource.Cluster && s.bridged:
			return false // hosts of the past need them
		case t == resource.Cluster && s.refused.stillUses(p):
			return false // the client goes on with an older state that needs them
		}
	}
	return true
}

// stillUses reports whether what the client had before the refused responses
// mentions any of the resources whose removal waits in p.
// Cost: once for each pair O(size × names); then O(1).
func (r *refusal) stillUses(p *plan) bool {
	for ; r != nil; r = r.earlier {
		known, ok := r.plan.uses.Load(p)
		if !ok {
			known = len(p.Waiting) > maxGateNames
			for older := range r.plan.before.Of(maps.Keys(r.plan.content())) {
				known = known.(bool) || view.Mentions(older, p.Waiting)
			}
			r.plan.uses.Store(p, known)
		}
		if known.(bool) {
			return true
		}
	}
	return false
}

// rankOf is t's place in the order of additions; other types come last.
func rankOf(t resource.Type) int { return t.Rank() }

// breaksBefore reports whether a's removals go out before b's: in the reverse
// order of additions, but that endpoints stay until their clusters are gone.
func breaksBefore(a, b resource.Type) bool {
	if a == resource.Endpoint || b == resource.Endpoint {
		return b == resource.Endpoint && a != b
	}
	return rankOf(a) > rankOf(b)
}

// refersToClusters reports whether t's resources name clusters that must
// exist before them.
func refersToClusters(t resource.Type) bool {
	switch t {
	case resource.Listener, resource.Route, resource.VirtualHost, resource.ExtensionConfig:
		return true
	}
	return false
}

// gate is what stands between the client and resources that mention new
// clusters. The zero gate is open. It is comparable.
type gate struct {
	flight  *plan // sent and not acknowledged
	pending *plan // not sent yet
	refused *plan // refused
}

// maxGateNames is up to how many new clusters it is looked whether a resource
// mentions one; with more it is taken to do so.
const maxGateNames = 256

// holds reports whether s has to wait. A client that has no older state of
// the resource gets it even though a cluster in it was refused: part of it
// working beats none of it.
func (g gate) holds(s view.Step) bool {
	return s.Want != nil &&
		(g.flight.adds(s.Want) || g.pending.adds(s.Want) || s.Held() && g.refused.adds(s.Want))
}

// adds reports whether r mentions a cluster that p adds.
// Cost: once for each pair O(size of r × clusters); then O(1).
func (p *plan) adds(r *view.Resource) bool {
	if p == nil {
		return false
	}
	p.newOnce.Do(func() {
		for _, u := range p.Upserts {
			if u.New {
				p.newNames = append(p.newNames, u.Name())
			}
		}
	})
	if len(p.newNames) == 0 || len(p.newNames) > maxGateNames {
		return len(p.newNames) > 0
	}
	if known, ok := p.mentions.Load(r); ok {
		return known.(bool)
	}
	found := view.Mentions(r, p.newNames)
	p.mentions.Store(r, found)
	return found
}
