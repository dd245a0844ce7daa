package bench

import (
	"fmt"
	"io"
	"net/url"
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

// call is a request to the API.
type call struct {
	path  string
	query url.Values
	body  []byte
}

// change is one change, and how an answer tells that it has arrived.
type change struct {
	call  call
	route int // that is asked for
	to    string
	fresh bool // seen on new connections alone
	judge func(probe.Answer) probe.Verdict
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

// setUp is what must be stored before anything is measured.
func (p *plan) setUp() []call {
	calls := []call{p.file()}
	if p.pattern == Cluster {
		for k := range p.slots {
			calls = append(calls, p.slotFile(k))
		}
	}
	return calls
}

// file is the whole configuration as it is now.
func (p *plan) file() call {
	return call{"/v1/apply", url.Values{"file": {"bench.yaml"}, "owner": {owner}}, write(func(w io.Writer) {
		p.table.writeListener(w, serverName(p.made))
		for _, b := range p.table.backends {
			p.table.writeCluster(w, b.Name(), b.Name())
		}
		if p.pattern == Endpoint {
			for k := range p.slots {
				p.table.writeCluster(w, fmt.Sprintf("slot-%d", k), p.backend(p.slotRoute(k)))
			}
		}
		p.table.writeShape(w)
		p.table.writeRoutes(w, p.apart, p.does)
	})}
}

// slotFile is a host, and the cluster of its first route; what its owner had
// of other clusters goes.
func (p *plan) slotFile(k int) call {
	query := url.Values{"file": {"slot.yaml"}, "owner": {fmt.Sprintf("%s-slot-%d", owner, k)}, "prune": {"true"}}
	return call{"/v1/apply", query, write(func(w io.Writer) {
		p.table.writeCluster(w, p.clusterOf(k), p.backend(p.slotRoute(k)))
		p.table.hostDocument(w, p.slotHost(k), p.does)
	})}
}

// serverName is what Envoy calls itself after n changes.
func serverName(n int) string { return fmt.Sprintf("bench-%d", n) }

// next is the next change. It counts as made: routes may from now on lead to
// either place, until settled.
func (p *plan) next() change {
	n := p.made
	p.made++
	if p.pattern == Listener {
		return p.nextListener(n)
	}
	if p.slots == 0 {
		c := p.move(n * stride(p.table.routes) % p.table.routes)
		c.call = p.patch(c.route)
		return c
	}
	k := n % p.slots
	c := p.move(p.slotRoute(k))
	switch p.pattern {
	case Endpoint:
		c.call = call{"/v1/apply", url.Values{"file": {"endpoint.yaml"}, "owner": {owner}}, write(func(w io.Writer) {
			p.table.writeEndpoint(w, fmt.Sprintf("slot-%d", k), c.to)
		})}
	case Cluster:
		c.call = p.slotFile(k)
	default:
		c.call = p.patch(c.route)
	}
	return c
}

// hasFile reports whether the whole file holds any routes. With Cluster and one
// host it does not.
func (p *plan) hasFile() bool { return p.pattern != Cluster || p.table.hosts > 1 }

// nextFile is a change of one route, made by applying the whole file. Call it
// only where that holds any.
func (p *plan) nextFile() change {
	n := p.made
	p.made++
	if p.pattern == Listener {
		c := p.nextListener(n)
		c.call = p.file()
		return c
	}
	route := n * stride(p.table.routes) % p.table.routes
	for p.apart(p.table.hostOf(route)) {
		route = (route + 1) % p.table.routes
	}
	c := p.move(route)
	c.call = p.file()
	return c
}

// patch replaces one route by itself as it is now.
func (p *plan) patch(route int) call {
	return p.patchTo(route, p.does(route))
}

// patchTo replaces one route by one that does something else, in YAML.
func (p *plan) patchTo(route int, does string) call {
	query := url.Values{"type": {"VirtualHost"}, "name": {p.table.hostResource(p.table.hostOf(route))}, "owner": {owner}, "take_ownership": {"true"}}
	return call{"/v1/patch", query, []byte("route: " + p.table.route(route, does) + "\n")}
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

func (p *plan) nextListener(n int) change {
	from, to, body := serverName(n), serverName(n+1), p.backend(0)
	return change{route: 0, to: to, fresh: true,
		call: call{"/v1/apply", url.Values{"file": {"listener.yaml"}, "owner": {owner}}, write(func(w io.Writer) { p.table.writeListener(w, to) })},
		judge: func(a probe.Answer) probe.Verdict {
			switch {
			case a.Body != body:
				return probe.Wrong
			case a.Server == from:
				return probe.Old
			case a.Server == to:
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

// stride is far from 1 and has no divisor in common with n, so that its
// multiples visit all of n.
func stride(n int) int {
	s := n*5/8 + 1
	for gcd(s, n) != 1 {
		s++
	}
	return s
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
