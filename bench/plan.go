package bench

import (
	"fmt"
	"sync"

	"github.com/deltaplane/deltaplane/bench/probe"
)

// slotsMost bounds how many routes have a cluster of their own, or weights.
const slotsMost = 64

// owner is who applies the whole file.
const owner = "bench"

// plan says what changes next on one side, and knows where each route leads.
type plan struct {
	table   table
	pattern Pattern
	made    int  // changes
	slots   int  // routes that Endpoint, Cluster and Weight change, evenly among the hosts
	guest   bool // others change the control plane, too: versions are numbers of the plan's own commits

	mu      sync.Mutex    // guards the rest
	version uint64        // that the next commit will make, which changed routes say; 0: routes say none
	at      map[int]place // of each route that is not at home
	moving  int           // the route that changes; -1: none
	from    place         // that it comes from
}

// place is where a route leads, and the version of the configuration that it
// says it is from; 0 if it says none.
type place struct {
	backend string
	version uint64
}

// placeOf is the place that an answer is from.
func placeOf(a probe.Answer) place { return place{a.Body, a.Version} }

func newPlan(t table, p Pattern) *plan {
	plan := &plan{table: t, pattern: p, at: map[int]place{}, moving: -1}
	if t.labels != nil {
		plan.version = firstVersion
	}
	switch p {
	case Endpoint, Cluster, Weight:
		plan.slots = min(slotsMost, (t.hosts+1)/2) // other hosts remain for whole files
	}
	return plan
}

// slotHost is the host whose first route is slot k.
func (p *plan) slotHost(k int) int { return k * p.table.hosts / p.slots }

// slotRoute is the route that is slot k.
func (p *plan) slotRoute(k int) int {
	from, _ := p.table.span(p.slotHost(k))
	return from
}

// slotOf is the slot that a route is, or -1.
func (p *plan) slotOf(route int) int {
	if p.slots == 0 {
		return -1
	}
	h := p.table.hostOf(route)
	k := (h*p.slots + p.table.hosts - 1) / p.table.hosts
	if k < p.slots && p.slotRoute(k) == route {
		return k
	}
	return -1
}

// apart reports whether a host is applied by itself: those that Cluster
// changes together with their clusters.
func (p *plan) apart(host int) bool {
	from, _ := p.table.span(host)
	return p.pattern == Cluster && p.slotOf(from) >= 0
}

// backend is where a route leads now.
func (p *plan) backend(route int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.placeLocked(route).backend
}

// placeLocked is where a route leads now. p.mu is held.
func (p *plan) placeLocked(route int) place {
	if at, ok := p.at[route]; ok {
		return at
	}
	home := place{backend: p.table.home(route)}
	if p.version > 0 {
		home.version = firstVersion
	}
	return home
}

// does is what a route does now, in YAML.
func (p *plan) does(route int) string {
	does := "route: {" + p.action(route) + p.table.labels.ofRoute() + "}"
	p.mu.Lock()
	defer p.mu.Unlock()
	if at, moved := p.at[route]; moved && at.version > 0 {
		does += ", " + says(at.version, "OVERWRITE_IF_EXISTS_OR_ADD")
	}
	return does
}

// action is how a route leads to its backend now, in YAML.
func (p *plan) action(route int) string {
	k, backend := p.slotOf(route), p.backend(route)
	switch {
	case k < 0:
		return "cluster: " + backend
	case p.pattern == Endpoint:
		return fmt.Sprintf("cluster: slot-%d", k)
	case p.pattern == Cluster:
		return "cluster: " + p.clusterOf(k)
	}
	return weights(p.other(backend), backend)
}

// clusterOf is the name of slot k's cluster, which is another one for each
// backend: a replaced cluster has a new name.
func (p *plan) clusterOf(k int) string {
	return fmt.Sprintf("slot-%d-%s", k, p.backend(p.slotRoute(k)))
}

// weights lead all requests to one of two clusters.
func weights(none, all string) string {
	return fmt.Sprintf("weighted_clusters: {clusters: [{name: %s, weight: 0}, {name: %s, weight: 100}]}", none, all)
}

// other is the backend that follows another one.
func (p *plan) other(backend string) string {
	for i, b := range p.table.backends {
		if b.Name() == backend {
			return p.table.backends[(i+1)%len(p.table.backends)].Name()
		}
	}
	return p.table.backends[0].Name()
}

// move has a route lead to the next backend.
func (p *plan) move(route int) change {
	p.mu.Lock()
	defer p.mu.Unlock()
	from := p.placeLocked(route)
	to := place{p.other(from.backend), p.version}
	p.at[route], p.moving, p.from = to, route, from
	return change{route: route, to: to.backend, judge: func(a probe.Answer) probe.Verdict {
		switch placeOf(a) {
		case from:
			return probe.Old
		case to:
			return probe.New
		}
		return probe.Wrong
	}}
}

// committed tells that the version was made, and nothing else since the last
// call: what comes next makes the one after it.
func (p *plan) committed(version uint64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.version == 0: // routes say none
	case version != p.version && !p.guest:
		return fmt.Errorf("the commit made version %d, its routes say %d: somebody else changes this control plane", version, p.version)
	default:
		p.version++
	}
	return nil
}

// settled ends the time in which the last change may be seen or not.
func (p *plan) settled() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.moving = -1
}

// allowed are the places that a route may lead to now.
func (p *plan) allowed(route int) (one, other place) {
	p.mu.Lock()
	defer p.mu.Unlock()
	one = p.placeLocked(route)
	if route == p.moving {
		return one, p.from
	}
	return one, one
}

// expect judges answers for a route to which a request goes out now: those
// are right which were allowed at some moment since.
func (p *plan) expect(route int) func(probe.Answer) probe.Verdict {
	one, other := p.allowed(route)
	return func(a probe.Answer) probe.Verdict {
		now, also := p.allowed(route)
		switch placeOf(a) {
		case one, other, now, also:
			return probe.New
		}
		return probe.Wrong
	}
}
