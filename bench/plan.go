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
	made    int // changes
	slots   int // routes that Endpoint, Cluster and Weight change, evenly among the hosts

	mu     sync.Mutex     // guards the rest
	at     map[int]string // backend of each route that is not at home
	moving int            // the route that changes; -1: none
	from   string         // the backend that it comes from
}

func newPlan(t table, p Pattern) *plan {
	plan := &plan{table: t, pattern: p, at: map[int]string{}, moving: -1}
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
	return p.backendLocked(route)
}

func (p *plan) backendLocked(route int) string {
	if b, ok := p.at[route]; ok {
		return b
	}
	return p.table.home(route)
}

// does is what a route does now, in YAML.
func (p *plan) does(route int) string { return "route: {" + p.action(route) + "}" }

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
	from := p.backendLocked(route)
	to := p.other(from)
	p.at[route], p.moving, p.from = to, route, from
	return change{route: route, to: to, judge: func(a probe.Answer) probe.Verdict {
		switch a.Body {
		case from:
			return probe.Old
		case to:
			return probe.New
		}
		return probe.Wrong
	}}
}

// settled ends the time in which the last change may be seen or not.
func (p *plan) settled() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.moving = -1
}

// allowed are the backends that a route may lead to now.
func (p *plan) allowed(route int) (one, other string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	one = p.backendLocked(route)
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
		switch a.Body {
		case one, other, now, also:
			return probe.New
		}
		return probe.Wrong
	}
}
