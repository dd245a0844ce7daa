package xds

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
)

// TestNoRequestToAModelOfEnvoyFails has the order of types (sequence.go and
// the files that it names) face a model of Envoy, commits at random, many of
// them while responses are on their way, and messages that take as long as
// they like. At each moment every request that Envoy could get must be
// answered: each host of each table of each listener that serves or drains
// leads to a cluster with endpoints. That the model would notice is shown by
// TestTheModelNoticesEachRuleThatIsMissing.
func TestNoRequestToAModelOfEnvoyFails(t *testing.T) {
	for name, delta := range map[string]bool{"delta": true, "state of the world": false} {
		t.Run(name, func(t *testing.T) {
			m := mint{}
			for range orderRounds {
				rapid.Check(t, func(t *rapid.T) { newOrder(t, delta, m).run() })
			}
		})
	}
}

// order is a server's side of a conversation, a model of Envoy at the other
// end, and what is on its way between them.
type order struct {
	t      *rapid.T
	world  *world
	view   *view.View
	common common
	talk   *conversation
	envoy  *modelEnvoy
	down   []*send
	now    time.Time
	past   []string
}

func newOrder(t *rapid.T, delta bool, m mint) *order {
	o := &order{t: t, world: newWorld(t, m), now: time.Unix(0, 0)}
	o.common.patience, o.common.drain = 15*time.Second, 5*time.Second
	o.common.maxNames, o.common.maxNamesInAll, o.common.maxResponse = 1000, 1000, 1<<20
	o.talk = &conversation{common: &o.common, delta: delta, envoy: true, observe: o.observe}
	o.envoy = newModelEnvoy(t, delta, o.now)
	o.view = view.New(o.world.store.commit(), []string{deltaplane.DefaultNamespace})
	o.talk.show(o.view, o.view.Version(), false)
	o.rest()
	o.check()
	return o
}

func (o *order) note(format string, args ...any) {
	o.past = append(o.past, fmt.Sprintf("%6s ", o.now.Sub(time.Unix(0, 0)))+fmt.Sprintf(format, args...))
}

// violated ends the test.
func (o *order) violated(why string) {
	o.t.Fatalf("VIOLATION: %s\nafter\n%s", why, strings.Join(o.past[max(0, len(o.past)-60):], "\n"))
}

func (o *order) observe(e Event) {
	if e.Kind == Overdue {
		o.violated(e.Type.Short() + " are not answered: something warms for ever")
	}
}

// run is the whole of one test.
func (o *order) run() {
	for range rapid.IntRange(1, 60).Draw(o.t, "steps") {
		switch rapid.IntRange(0, 19).Draw(o.t, "step") {
		case 0, 1, 2, 3:
			o.note("commit: %s", strings.Join(o.world.step(), ", "))
			o.commit()
		case 4, 5, 6, 7, 8, 9, 10:
			o.move(true)
		case 11, 12, 13, 14, 15, 16:
			o.move(false)
		case 17:
			o.wait(20 * time.Millisecond)
		case 18:
			o.rest()
		case 19:
			o.spoil()
		}
	}
	o.rest()
	o.ends()
}

func (o *order) commit() {
	o.view = o.view.At(o.world.store.commit())
	o.talk.show(o.view, o.view.Version(), false)
	o.serve()
}

// spoil commits what Envoy refuses, and then something in its place.
func (o *order) spoil() {
	o.rest()
	mend := o.world.spoil()
	o.note("commit: something bad")
	o.commit()
	o.rest()
	mend()
	o.note("commit: something good instead")
	o.commit()
}

// serve has the server send what it can.
func (o *order) serve() {
	for range 100 {
		s := o.talk.next(o.now)
		if s == nil {
			return
		}
		var words []string
		for _, u := range s.plan.Upserts {
			words = append(words, "+"+u.Name())
		}
		for _, name := range slices.Concat(s.plan.Removed, s.plan.Missing) {
			words = append(words, "-"+name)
		}
		o.note("  server: %s %s %s", s.lane.typ.Short(), s.response.Nonce, strings.Join(words, " "))
		o.down = append(o.down, s)
	}
	o.violated("the server does not stop sending")
}

// move lets one message arrive, at Envoy or at the server, if there is one.
func (o *order) move(down bool) {
	if down && len(o.down) > 0 {
		s := o.down[0]
		o.down = o.down[1:]
		o.note("  Envoy takes %s %s", s.lane.typ.Short(), s.response.Nonce)
		o.envoy.receive(s)
		o.check()
	}
	if !down && len(o.envoy.out) > 0 {
		q := o.envoy.out[0]
		o.envoy.out = o.envoy.out[1:]
		o.note("  Envoy says: %s %s names %v +%v -%v refuses %v", resource.TypeOfURL(q.typeURL).Short(), q.nonce, q.names, q.subscribe, q.unsubscribe, q.refusal != nil)
		if _, err := o.talk.receive(q); err != nil {
			o.t.Fatal(err)
		}
		o.serve()
	}
}

// wait lets time pass.
func (o *order) wait(d time.Duration) {
	o.now = o.now.Add(d)
	o.envoy.now = o.now
	o.envoy.settle()
	o.check()
	o.serve()
}

// rest lets all messages arrive, and time pass until nothing is left to do.
func (o *order) rest() {
	for range 1000 {
		for len(o.down)+len(o.envoy.out) > 0 {
			o.move(len(o.envoy.out) == 0 || rapid.Bool().Draw(o.t, "down"))
		}
		at, some := o.talk.wake(o.now)
		for _, l := range o.envoy.draining {
			if !some || l.until.Before(at) {
				at, some = l.until, true
			}
		}
		if !some {
			for name, table := range o.envoy.tables {
				if table.hosts == nil {
					o.violated("Envoy waits for the table " + name + ", and nothing comes")
				}
			}
			return
		}
		o.wait(max(at.Sub(o.now), 0))
	}
	o.violated("it never rests")
}

// check fails the test if a request could, once Envoy has started.
func (o *order) check() {
	if why := o.envoy.fails(); why != "" && o.view.Version() > 1 {
		o.violated(why)
	}
}

// ends compares what Envoy has with the last commit.
func (o *order) ends() {
	e := o.envoy
	if n := len(e.warming) + len(e.coming) + len(e.draining); n > 0 {
		o.violated(fmt.Sprint(n, " clusters and listeners warm or drain at the end"))
	}
	has := map[resource.Type]map[string]resource.Digest{}
	put := func(typ resource.Type, name string, digest resource.Digest) {
		if has[typ] == nil {
			has[typ] = map[string]resource.Digest{}
		}
		has[typ][name] = digest
	}
	for name, c := range e.clusters {
		put(resource.Cluster, name, c.digest)
	}
	for name, l := range e.listeners {
		put(resource.Listener, name, l.digest)
	}
	for name, s := range e.scopes {
		put(resource.ScopedRoute, name, s.digest)
	}
	for name, t := range e.tables {
		put(resource.Route, name, t.digest)
	}
	for name, s := range e.secrets {
		put(resource.Secret, name, s.digest)
	}
	for typ, got := range has {
		want := map[string]resource.Digest{}
		for name, r := range o.view.Table(typ).All() {
			if asked := e.asked[typ]; len(asked) == 0 || asked[name] {
				want[name] = r.Digest()
			}
		}
		if !maps.Equal(got, want) {
			o.violated(fmt.Sprintf("at the end Envoy has the %ss %v, and should have %v, or others of the same names", typ.Short(),
				slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want))))
		}
	}
	if why := e.fails(); why != "" {
		o.violated(why)
	}
}

// fails says which request would fail now, empty if none.
func (e *modelEnvoy) fails() string {
	for name, want := range map[string][]string{"web": {worldDomain(0), worldDomain(1)}, "secure": {"*"}, "scoped": nil} {
		l := e.listeners[name]
		if l == nil {
			return "there is no listener " + name
		}
		if l.secret != "" && !e.secrets[l.secret].there {
			return name + " serves without its secret " + l.secret
		}
		for _, domain := range want {
			if t := e.tables[l.routes]; t.hosts[domain] == "" {
				return fmt.Sprintf("%s: 404 for %s in %s, which has %v", name, domain, l.routes, t.hosts)
			}
		}
	}
	for _, tenant := range worldTenants {
		s, there := e.scopes[tenant]
		if !there {
			return "404: there is no scope of " + tenant
		}
		if t := e.tables[s.table]; t.hosts[tenant+".test"] == "" {
			return fmt.Sprintf("404 for %s in %s, which has %v", tenant, s.table, t.hosts)
		}
	}
	for l := range e.allListeners() {
		if e.coming[l.name] == l || l.routes == "" {
			continue
		}
		if why := e.fallsShort(l.routes); why != "" {
			return l.name + " with " + why
		}
	}
	for name, s := range e.scopes {
		if why := e.fallsShort(s.table); why != "" {
			return "scope " + name + " with " + why
		}
	}
	return ""
}

// fallsShort says which host of a table leads nowhere.
func (e *modelEnvoy) fallsShort(table string) string {
	for domain, cluster := range e.tables[table].hosts {
		switch c := e.clusters[cluster]; {
		case c == nil:
			return fmt.Sprintf("%s: 503 for %s, there is no active %s", table, domain, cluster)
		case !c.ready:
			return fmt.Sprintf("%s: 503 for %s, %s has no endpoints", table, domain, cluster)
		}
	}
	return ""
}
