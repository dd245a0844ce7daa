package xds

import (
	"context"
	"iter"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
)

// Standing says how a client stands to one resource that it should have.
type Standing uint8

const (
	StandingHeld    Standing = iota // it has accepted the resource as it is now
	StandingSent                    // the resource is in a response that it has not answered
	StandingUnsent                  // the resource as it is now is still to be sent
	StandingRefused                 // it has refused the resource, which is not sent again as it is
)

// Inspection is one stream at one moment. It is made of what streams share
// and never changes.
type Inspection struct {
	Stream uint64
	Node   *corev3.Node // shared, do not change
	Types  []Inspected  // those that the client subscribes to, in the order of serving
}

// Inspected is one type of a stream.
type Inspected struct {
	Type resource.Type

	sub     *view.Subscription
	held    view.Held
	target  view.Table
	flight  *plan    // nil: none
	refused *refusal // nil: none
}

// Inspect asks every stream what it is at. Streams whose first request has not
// come, and those that end meanwhile, are left out. Cost: O(streams × types);
// no stream does more than to hand out pointers. The error is ctx's.
func (s *Server) Inspect(ctx context.Context) ([]Inspection, error) {
	var all []Inspection
	for _, st := range s.open() {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		st.lock()
		if !st.over && st.node != nil {
			all = append(all, st.inspection())
		}
		st.unlock()
	}
	return all, nil
}

// inspection is st now. st.mu is held.
func (st *stream) inspection() Inspection {
	i := Inspection{Stream: st.id, Node: st.node}
	for _, l := range st.talk.lanes {
		if !l.subscribed() {
			continue
		}
		one := Inspected{Type: l.typ, sub: l.sub, held: l.held, target: st.talk.target(l), refused: l.refused}
		if l.flight != nil {
			one.flight = l.flight.plan
		}
		i.Types = append(i.Types, one)
	}
	return i
}

// Resources goes through all that the client subscribes to and should have,
// each once. Cost: O(resources of the type) for the wildcard and for
// collections, else O(names).
func (i Inspected) Resources() iter.Seq2[*view.Resource, Standing] {
	return func(yield func(*view.Resource, Standing) bool) {
		scoped := i.Type == resource.VirtualHost
		unsent, sent, refused := map[string]bool{}, map[string]bool{}, map[string]bool{}
		note := func(names map[string]bool, upserts []view.Upsert) {
			for _, u := range upserts {
				names[u.Name()] = true
			}
		}
		note(unsent, view.Diff(i.held, i.target, i.sub, view.Limits{Scoped: scoped}).Upserts)
		if i.flight != nil {
			note(sent, i.flight.Upserts)
		}
		for r := i.refused; r != nil; r = r.earlier {
			note(refused, r.plan.Upserts)
		}
		for name, r := range i.wanted() {
			if name != r.Name() && scoped {
				continue // another name of a virtual host
			}
			standing := StandingHeld
			switch {
			case refused[name]:
				standing = StandingRefused
			case sent[name]:
				standing = StandingSent
			case i.refused.holds(name): // a full state repeated it: the client had it before, and keeps it
			case unsent[name]:
				standing = StandingUnsent
			}
			if !yield(r, standing) {
				return
			}
		}
	}
}

// wanted is the part of the target that the client subscribes to.
func (i Inspected) wanted() iter.Seq2[string, *view.Resource] {
	return func(yield func(string, *view.Resource) bool) {
		if i.sub.Wildcard() || len(i.sub.Collections()) > 0 || i.Type == resource.VirtualHost {
			for name, r := range i.target.All() {
				if (i.Type == resource.VirtualHost || i.sub.Contains(name)) && !yield(name, r) {
					return
				}
			}
			return
		}
		for _, name := range i.sub.Names() {
			if r, ok := i.target.Get(name); ok && !yield(name, r) {
				return
			}
		}
	}
}
