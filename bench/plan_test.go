package bench

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/deltaplane/deltaplane/bench/probe"
	"github.com/deltaplane/deltaplane/bench/traffic"
	"github.com/deltaplane/deltaplane/resource"
)

// Whatever is changed in whatever order, the plan knows where each route
// leads, a change moves the one route that is asked for, and its judge tells
// old from new.
func TestAPlanKnowsWhereEveryRouteLeads(t *testing.T) {
	all := backends(t)
	identity, err := traffic.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		hosts := rapid.IntRange(1, 9).Draw(t, "hosts")
		tab := table{
			hosts: hosts, routes: rapid.IntRange(hosts, 40).Draw(t, "routes"), shape: rapid.SampledFrom([]Shape{Plain, Split, Scoped}).Draw(t, "shape"), shards: 7, backends: all,
		}
		patterns := Patterns()
		if rapid.Bool().Draw(t, "with a load") {
			tab.labels = &labels{load: Load{Protocol: rapid.SampledFrom([]traffic.Protocol{traffic.HTTP, traffic.GRPC}).Draw(t, "protocol")}.withDefaults(), identity: identity}
			patterns = []Pattern{Route, Cluster, Weight}
		}
		p := newPlan(tab, rapid.SampledFrom(patterns).Draw(t, "pattern"))
		w, made := newWorld(t), uint64(0)
		commit := func(c call) {
			w.call(c)
			made++
			if err := p.committed(made); err != nil {
				t.Fatalf("%v", err)
			}
		}
		for _, c := range p.setUp() {
			commit(c)
		}
		w.agrees(p, -1)
		for _, file := range rapid.SliceOfN(rapid.Bool(), 1, 12).Draw(t, "whole files") {
			server, before := w.server(), w.places(p)
			var c change
			if file && p.hasFile() {
				c = p.nextFile()
			} else {
				c = p.next()
			}
			old := before[c.route].answer(server)
			commit(c.call)
			at := w.place(p.table, c.route)
			now := at.answer(w.server())
			if tab.labels != nil && at.version != made {
				t.Fatalf("route %d says version %d after commit %d", c.route, at.version, made)
			}
			if c.judge(old) != probe.Old || c.judge(now) != probe.New || c.judge(probe.Answer{Body: "else", Server: now.Server}) != probe.Wrong {
				t.Fatalf("the change of route %d to %s judges %+v as %d and %+v as %d", c.route, c.to, old, c.judge(old), now, c.judge(now))
			}
			before[c.route] = at
			w.same(p, before)
			p.settled()
			w.agrees(p, c.route)
		}
	})
}

// answer is one from there.
func (p place) answer(server string) probe.Answer {
	return probe.Answer{Body: p.backend, Version: p.version, Server: server}
}

// places is where every route leads.
func (w *world) places(p *plan) []place {
	all := make([]place, p.table.routes)
	for i := range all {
		all[i] = w.place(p.table, i)
	}
	return all
}

// same checks where every route leads.
func (w *world) same(p *plan, want []place) {
	w.t.Helper()
	for i, got := range w.places(p) {
		if got != want[i] {
			w.t.Fatalf("route %d leads to %+v, want %+v", i, got, want[i])
		}
	}
}

// agrees checks that the plan knows where every route leads, and that nothing
// is left of clusters that were replaced.
func (w *world) agrees(p *plan, changed int) {
	w.t.Helper()
	want := len(p.table.backends)
	if p.pattern == Endpoint || p.pattern == Cluster {
		want += p.slots
	}
	if got := len(w.held[resource.Cluster]); got != want {
		w.t.Fatalf("after a change of route %d, there are %d clusters, want %d", changed, got, want)
	}
	for i, got := range w.places(p) {
		if want, _ := p.allowed(i); got != want {
			w.t.Fatalf("after a change of route %d, route %d leads to %+v; the plan says %+v", changed, i, got, want)
		}
	}
}

func TestARequestUnderWayMayBeRoutedAsBeforeOrAfterAChangeAndNotElsewhere(t *testing.T) {
	p := newPlan(table{hosts: 2, routes: 6, backends: backends(t)}, Route)
	was := p.backend(0)
	early := p.expect(0)
	other := p.expect(1)
	c := p.next()
	if c.route != 0 {
		t.Fatalf("the first change is of route %d", c.route)
	}
	during := p.expect(0)
	check := func(when string, judge func(probe.Answer) probe.Verdict, body string, right bool) {
		t.Helper()
		if got := judge(probe.Answer{Body: body}); (got != probe.Wrong) != right {
			t.Errorf("sent %s: an answer by %s counts as right: %v, want %v", when, body, got != probe.Wrong, right)
		}
	}
	third := p.other(c.to)
	check("before the change", early, was, true)
	check("before the change", early, c.to, true)
	check("before the change", early, third, false)
	p.settled()
	check("during the change", during, was, true)
	check("during the change", during, c.to, true)
	check("after the change", p.expect(0), c.to, true)
	check("after the change", p.expect(0), was, false)
	check("to another route", other, p.table.home(1), true)
	check("to another route", other, p.table.home(2), false)
}

func TestChangesVisitAllRoutesBeforeAnyTwice(t *testing.T) {
	p := newPlan(table{hosts: 7, routes: 100, backends: backends(t)}, Route)
	seen := map[int]bool{}
	for range 100 {
		seen[p.next().route] = true
	}
	if len(seen) != 100 {
		t.Errorf("100 changes visited %d of 100 routes", len(seen))
	}
}

func TestHostsShareTheRoutesEvenlyAndInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tab := table{hosts: rapid.IntRange(1, 50).Draw(t, "hosts")}
		tab.routes = rapid.IntRange(tab.hosts, 500).Draw(t, "routes")
		next := 0
		for h := range tab.hosts {
			from, to := tab.span(h)
			if from != next || to-from < tab.routes/tab.hosts || to-from > tab.routes/tab.hosts+1 {
				t.Fatalf("host %d has routes %d to %d", h, from, to)
			}
			for i := from; i < to; i++ {
				if tab.hostOf(i) != h {
					t.Fatalf("route %d is in host %d, and said to be in %d", i, h, tab.hostOf(i))
				}
			}
			next = to
		}
		if next != tab.routes {
			t.Fatalf("hosts have %d of %d routes", next, tab.routes)
		}
	})
}

func TestAVersionThatSomebodyElseMadeIsAnError(t *testing.T) {
	p := newPlan(table{hosts: 1, routes: 1, backends: backends(t), labels: &labels{load: Load{}.withDefaults()}}, Route)
	if err := p.committed(1); err != nil {
		t.Fatal(err)
	}
	if err := p.committed(3); err == nil {
		t.Error("version 3 follows on version 1")
	}
}
