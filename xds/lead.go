package xds

import (
	"crypto/sha256"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
	"github.com/deltaplane/deltaplane/view"
)

// This file sends a listener after the leaves that it leads to (package
// shape). Envoy's listeners share one subscription of scopes: one that comes
// while another has that already goes live at once, and gives 404 for each
// leaf that Envoy has not loaded. So the scopes go out, Envoy asks for their
// route configurations, and the listener follows when it has accepted all of
// them. An Envoy without a subscription of scopes needs no such care: it warms
// the listener.

// leading is what listeners wait for, and since when.
type leading struct {
	since time.Time
	waits map[string]bool   // the listeners that do
	hash  [sha256.Size]byte // of waits
}

// resumption is for how long a listener that leads to leaves waits for a
// client that came back to say that it has scopes: Envoy asks for listeners
// first.
const resumption = time.Second

// lead finds out which listeners have to wait.
// Cost: O(1) unless there are listeners to send, else O(their leaves).
func (c *conversation) lead(now time.Time) {
	l := c.lane(resource.Listener)
	if l == nil || !c.view.Shaped() || !l.subscribed() || l.flight != nil || l.held.InSync(l.target(c.view)) {
		c.leading = nil
		return
	}
	since := now
	if c.leading != nil {
		since = c.leading.since
	}
	next := &leading{since: since, waits: map[string]bool{}}
	if limit, waits := c.leadLimit(l); waits && now.Sub(since) < limit {
		for name, listener := range l.held.Behind(l.target(c.view)) {
			if !c.ledTo(listener.Leads()) {
				next.waits[name] = true
			}
		}
	}
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(next.waits)) {
		h.Write([]byte(name))
		h.Write([]byte{0})
	}
	h.Sum(next.hash[:0])
	if len(next.waits) == 0 {
		next.hash = [sha256.Size]byte{}
	}
	c.leading = next
}

// leadLimit is for how long listeners may wait; waits is false if they need
// not, because the client has no scopes.
func (c *conversation) leadLimit(l *lane) (limit time.Duration, waits bool) {
	scopes := c.lane(resource.ScopedRoute)
	switch {
	case c.scopesInUse():
		return c.common.patience, true
	case l.resumed || scopes != nil && scopes.subscribed():
		return resumption, true
	}
	return 0, false
}

// scopesInUse reports whether any listener of the client has scopes. If one
// has, the client asks for the route configurations that they lead to. Envoy
// says that it wants scopes, but not when the last listener with some has gone.
// Cost: O(scopes).
func (c *conversation) scopesInUse() bool {
	scopes, routes := c.lane(resource.ScopedRoute), c.lane(resource.Route)
	if scopes == nil || routes == nil || !scopes.subscribed() {
		return false
	}
	for _, scope := range c.view.Table(resource.ScopedRoute).All() {
		if to, _ := view.RoutesOf(scope); routes.sub.Named(to) {
			return true
		}
	}
	return false
}

// rescope has the scopes sent again, once the client has answered a listener,
// if none is in use: Envoy does not ask for what it believes to have asked for,
// and warms a listener that is its first with scopes again until they come, or
// goes live without them after its initial fetch timeout.
//
// Only the answer tells: the last listener with scopes may have drained while
// the response was on its way, and what Envoy says of that comes before it.
// Until then no change of scopes goes out (mayAdd): Envoy would take it for all
// there are.
func (c *conversation) rescope() {
	scopes := c.lane(resource.ScopedRoute)
	if scopes == nil || !scopes.subscribed() || scopes.held.Blank() || c.scopesInUse() {
		return
	}
	if !c.delta {
		scopes.owes = true
		return
	}
	var names []string
	for name := range c.target(scopes).All() {
		if scopes.sub.Contains(name) {
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		scopes.held = scopes.held.Asked(slices.Values(names), scopes.sub)
	}
}

// ledTo reports whether the client has accepted the leaves.
func (c *conversation) ledTo(leaves []string) bool {
	if len(leaves) == 0 {
		return true
	}
	scopes, routes := c.lane(resource.ScopedRoute), c.lane(resource.Route)
	return scopes != nil && routes != nil && !slices.ContainsFunc(leaves, func(leaf string) bool {
		return !scopes.has(leaf) || !routes.sub.Named(leaf) || !routes.has(leaf)
	})
}

// key is what a decision about listeners depends on.
func (l *leading) key() (hash [sha256.Size]byte) {
	if l != nil {
		hash = l.hash
	}
	return hash
}

// leadEnd is when nothing waits any more; ok is false if nothing does.
func (c *conversation) leadEnd() (at time.Time, ok bool) {
	if c.leading == nil || len(c.leading.waits) == 0 {
		return at, false
	}
	limit, _ := c.leadLimit(c.lane(resource.Listener))
	return c.leading.since.Add(limit), true
}

// holds reports whether s has to wait.
func (l *leading) holds(s view.Step) bool { return s.Want != nil && l != nil && l.waits[s.Name] }

// crowd is up to how many leaves of a change go out each in a response of its
// own. Each takes a round trip: more of them go together, and each by itself
// once they have been refused.
const crowd = 16

// crowd is how many leaves are too many to go alone.
func (k fanoutKey) crowd() int {
	if k.isolate {
		return math.MaxInt
	}
	return crowd
}

// aloneOf is which resources of a type go in a response of their own: a leaf's
// route configuration that the client has an older state of. Envoy applies a
// part of a refused response that depends on its order, and one bad leaf would
// keep good ones from being applied.
func aloneOf(t resource.Type) func(view.Step) bool {
	if t != resource.Route {
		return nil
	}
	return func(s view.Step) bool {
		_, leaf := shape.TableOf(s.Name)
		return leaf && s.Known()
	}
}
