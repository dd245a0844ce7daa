package bench

import (
	"fmt"
	"io"
	"net/url"

	"github.com/deltaplane/deltaplane/bench/hops"
	"github.com/deltaplane/deltaplane/bench/probe"
)

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
	trace hops.Trace // set when it is made
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
