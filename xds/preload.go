package xds

import (
	"slices"
	"sync"
	"time"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
)

// This file moves a scope to another route configuration without a gap. Envoy
// takes over a scope at once and asks for its routes then; until they come,
// requests of the scope get 404. So the routes are loaded under a scope of our
// own first, whose key no request has, and the real one follows when Envoy
// has them. Ours is removed when Envoy has acknowledged that.
//
// Envoy drops a table with the last scope that leads there. If another one
// comes in the same response, it may wait for the table for ever: in state of
// the world its request is the same as before. So a scope stays where it is
// until the others have arrived.
//
// Envoy alone gets this, which takes a scope to be all that the server knows
// of. Where it does not ask for the routes in time, the scope moves anyway.

// preloadPrefix starts the names and keys of our own scopes.
const preloadPrefix = "deltaplane/preload/"

// preloading is what one lane of scopes does about scopes that move.
type preloading struct {
	since  map[string]time.Time // the route configurations that are to be loaded: from when on
	target view.Table           // what the client should hold meanwhile
}

// preload brings the scopes' preloading up to what the client holds.
// Cost: O(1) while no scope moves, else O(changed scopes).
func (c *conversation) preload(now time.Time) {
	l, routes := c.lane(resource.ScopedRoute), c.lane(resource.Route)
	if l == nil {
		return
	}
	target := c.view.Table(resource.ScopedRoute)
	if !c.envoy || routes == nil || !l.sub.Wildcard() || l.held.Fresh() || l.held.InSync(target) {
		l.preloading = nil
		return
	}
	since, x := map[string]time.Time{}, target.Txn()
	load := func(table string) {
		ours := c.common.preloads.of(table)
		x.Put(ours.Name(), ours)
		since[table] = now
		if began, waits := l.preloading.began(table); waits {
			since[table] = began
		}
	}
	moves := c.moves(l, target)
	for _, m := range moves {
		load(m.to)
	}
	for table := range c.arrivals(l, target, moves) {
		load(table)
	}
	for _, m := range moves {
		_, awaited := since[m.from]
		early := awaited && !l.has(c.common.preloads.of(m.from).Name())
		if (early || !c.loaded(l, routes, m.to)) && now.Sub(since[m.to]) < c.common.patience {
			x.Put(m.old.Name(), m.old)
		}
	}
	if len(since) == 0 {
		l.preloading = nil
		return
	}
	l.preloading = &preloading{since, x.Commit()}
}

// move is a scope that goes from one route configuration to another.
type move struct {
	old      *view.Resource // the scope as the client has it
	from, to string
}

// moves are those on the way from what l's client holds to target.
func (c *conversation) moves(l *lane, target view.Table) (moves []move) {
	for name, old := range l.held.Outdated(target) {
		scope, there := target.Get(name)
		if !there {
			continue
		}
		from, _ := view.RoutesOf(old)
		to, eager := view.RoutesOf(scope)
		if _, there := c.view.Table(resource.Route).Get(to); !eager || !there || from == to {
			continue
		}
		moves = append(moves, move{old, from, to})
	}
	return moves
}

// arrivals are the tables that some scope leaves and a new one leads to.
func (c *conversation) arrivals(l *lane, target view.Table, moves []move) map[string]bool {
	tables := map[string]bool{}
	if len(moves) == 0 {
		return tables
	}
	for name, scope := range l.held.Behind(target) {
		to, eager := view.RoutesOf(scope)
		if eager && !l.held.Has(name) && slices.ContainsFunc(moves, func(m move) bool { return m.from == to }) {
			tables[to] = true
		}
	}
	return tables
}

// began is since when the route configuration is to be loaded.
func (p *preloading) began(routes string) (at time.Time, ok bool) {
	if p == nil {
		return at, false
	}
	at, ok = p.since[routes]
	return at, ok
}

// loaded reports whether the client has acknowledged our scope and the route
// configuration that it leads to.
func (c *conversation) loaded(scopes, routes *lane, name string) bool {
	return scopes.has(c.common.preloads.of(name).Name()) && routes.sub.Named(name) && routes.has(name)
}

// has reports whether the client has acknowledged some version of name.
func (l *lane) has(name string) bool {
	if !l.held.Has(name) || l.held.Owes(name) {
		return false
	}
	if l.flight == nil {
		return true
	}
	_, sent := l.flight.plan.content()[name]
	return !sent
}

// preloads are the scopes of our own by route configuration. Any goroutine
// may call.
type preloads struct {
	mu     sync.Mutex
	byName map[string]*view.Resource
}

// of is the scope that leads to the route configuration called routes.
func (p *preloads) of(routes string) *view.Resource {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.byName[routes]; r != nil {
		return r
	}
	name := preloadPrefix + routes
	r, err := resource.New(&routev3.ScopedRouteConfiguration{
		Name: name, RouteConfigurationName: routes,
		Key: &routev3.ScopedRouteConfiguration_Key{Fragments: []*routev3.ScopedRouteConfiguration_Key_Fragment{
			{Type: &routev3.ScopedRouteConfiguration_Key_Fragment_StringKey{StringKey: name}},
		}},
	})
	if err != nil {
		panic("a scope for " + routes + ": " + err.Error()) // the routes' name has been validated
	}
	if p.byName == nil {
		p.byName = map[string]*view.Resource{}
	}
	p.byName[routes] = view.Made(r)
	return p.byName[routes]
}

// forget drops what is kept.
func (p *preloads) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.byName = nil
}
