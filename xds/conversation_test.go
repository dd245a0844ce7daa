package xds

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/status"
	"pgregory.net/rapid"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
)

// TestAnyClientEndsUpWithTheConfiguration has a client send whatever comes to
// mind, and checks each response and the end against a model.
func TestAnyClientEndsUpWithTheConfiguration(t *testing.T) { rapid.Check(t, randomConversation) }

// FuzzConversation is the same, driven by the fuzzer.
func FuzzConversation(f *testing.F) { f.Fuzz(rapid.MakeFuzz(randomConversation)) }

func randomConversation(t *rapid.T) {
	m := newModel(t, rapid.Bool().Draw(t, "delta"))
	for range rapid.IntRange(1, 40).Draw(t, "steps") {
		typ := rapid.SampledFrom(modelTypes).Draw(t, "type")
		name := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name")
		switch rapid.IntRange(0, 8).Draw(t, "step") {
		case 0, 1:
			m.change(typ, name)
			m.commit()
		case 2, 3:
			m.subscribe(typ, name)
		case 4:
			m.unsubscribe(typ, name)
		case 5, 6:
			m.answer(typ, rapid.IntRange(0, 3).Draw(t, "verdict") == 0)
		case 7:
			m.say(request{typeURL: typ.URL(), nonce: rapid.SampledFrom([]string{"", "stale"}).Draw(t, "nonce"),
				refusal: &status.Status{Message: "noise"}, names: m.lists[typ].names()})
		case 8:
			m.now = m.now.Add(20 * time.Second)
			m.drain()
		}
	}
	m.settle()
}

var modelTypes = []resource.Type{resource.Cluster, resource.Endpoint, resource.Route}

// list is what the model client says and knows of one type.
type list struct {
	all     bool
	wanted  map[string]bool
	held    map[string]resource.Digest
	pending *send // not answered yet
	asked   bool  // a request was sent
}

func (l *list) names() []string {
	names := slices.Sorted(maps.Keys(l.wanted))
	if l.all {
		names = append([]string{"*"}, names...)
	}
	return names
}

func (l *list) wants(name string) bool { return l.all || l.wanted[name] }

// model is a client with the server's side of its conversation.
type model struct {
	t      *rapid.T
	store  store
	view   *view.View
	common common
	talk   *conversation
	now    time.Time
	lists  map[resource.Type]*list
	nonces map[string]bool
}

func newModel(t *rapid.T, delta bool) *model {
	m := &model{t: t, lists: map[resource.Type]*list{}, nonces: map[string]bool{}, now: time.Unix(0, 0)}
	m.common.patience, m.common.maxNames, m.common.maxNamesInAll = 15*time.Second, 100, 1000
	m.common.maxResponse = rapid.SampledFrom([]int{1, 1 << 20}).Draw(t, "limit")
	for _, typ := range modelTypes {
		m.lists[typ] = &list{wanted: map[string]bool{}, held: map[string]resource.Digest{}}
	}
	m.talk = &conversation{common: &m.common, delta: delta, observe: func(Event) {}}
	m.view = view.New(m.store.commit(), []string{deltaplane.DefaultNamespace})
	m.talk.show(m.view, m.view.Version(), false)
	return m
}

// change puts or drops one resource, without a commit.
func (m *model) change(typ resource.Type, name string) {
	n := rapid.IntRange(0, 3).Draw(m.t, "content")
	switch {
	case n == 3:
		m.store.drop(typ, name)
	case typ == resource.Cluster:
		m.store.put(m.t, cluster(name, n))
	case typ == resource.Endpoint:
		m.store.put(m.t, endpoints(name, n))
	default:
		m.store.put(m.t, route(name, rapid.SampledFrom([]string{"a", "b"}).Draw(m.t, "cluster"), n))
	}
}

func (m *model) commit() {
	m.view = m.view.At(m.store.commit())
	m.talk.show(m.view, m.view.Version(), false)
	m.drain()
}

func (m *model) say(q request) {
	l := m.lists[resource.TypeOfURL(q.typeURL)]
	if !l.asked && len(q.names)+len(q.subscribe)+len(q.unsubscribe) == 0 {
		return // it would be the wildcard of the empty list
	}
	l.asked = true
	if _, err := m.talk.receive(q); err != nil {
		m.t.Fatal(err)
	}
	m.drain()
}

func (m *model) subscribe(typ resource.Type, name string) {
	l := m.lists[typ]
	if rapid.IntRange(0, 3).Draw(m.t, "all") == 0 {
		name, l.all = "*", true
	} else {
		l.wanted[name] = true
	}
	m.say(request{typeURL: typ.URL(), subscribe: []string{name}, names: l.names(), nonce: m.nonce(typ)})
}

func (m *model) unsubscribe(typ resource.Type, name string) {
	l := m.lists[typ]
	if !l.asked {
		return
	}
	if rapid.Bool().Draw(m.t, "all") {
		name, l.all = "*", false
	} else {
		delete(l.wanted, name)
	}
	for held := range l.held {
		if !l.wants(held) {
			delete(l.held, held)
		}
	}
	m.say(request{typeURL: typ.URL(), unsubscribe: []string{name}, names: l.names(), nonce: m.nonce(typ)})
}

// nonce is what a state-of-the-world client puts into any request: that of
// the newest response. In delta it would acknowledge.
func (m *model) nonce(typ resource.Type) string {
	if lane := m.talk.lane(typ); lane != nil && !m.talk.delta && m.lists[typ].pending == nil {
		return lane.nonce
	}
	return ""
}

// answer accepts or refuses what is pending.
func (m *model) answer(typ resource.Type, refuse bool) {
	l := m.lists[typ]
	if l.pending == nil {
		return
	}
	q := request{typeURL: typ.URL(), nonce: l.pending.response.Nonce, names: l.names()}
	if refuse {
		q.refusal = &status.Status{Message: "no"}
	} else {
		m.apply(l, l.pending)
	}
	l.pending = nil
	m.say(q)
}

// apply takes a response in as a client does.
func (m *model) apply(l *list, s *send) {
	if !m.talk.delta && s.lane.typ.FullState() {
		clear(l.held)
		for _, r := range s.plan.all {
			if l.wants(r.Name()) {
				l.held[r.Name()] = r.Digest()
			}
		}
	}
	for _, u := range s.plan.Upserts {
		if l.wants(u.Name()) {
			l.held[u.Name()] = u.Digest()
		}
	}
	for _, name := range slices.Concat(s.plan.Removed, s.plan.Missing) {
		delete(l.held, name)
	}
}

// drain takes what the server sends, and checks it.
func (m *model) drain() {
	for range 100 {
		s := m.talk.next(m.now)
		if s == nil {
			return
		}
		l := m.lists[s.lane.typ]
		if l.pending != nil {
			m.t.Fatal("two responses in flight for ", s.lane.typ)
		}
		l.pending = s
		if m.nonces[s.response.Nonce] {
			m.t.Fatal("nonce twice: ", s.response.Nonce)
		}
		m.nonces[s.response.Nonce] = true
		for _, u := range s.plan.Upserts {
			if !l.wants(u.Name()) {
				m.t.Fatal("sent though not wanted: ", u.Name())
			}
		}
	}
	m.t.Fatal("the server does not stop sending")
}

// settle changes everything, so that refusals lapse, accepts all that comes,
// and compares.
func (m *model) settle() {
	for i, name := range []string{"a", "b", "c"} {
		m.store.put(m.t, cluster(name, 10+i), endpoints(name, 10+i), route(name, "a", 10+i))
	}
	m.commit()
	for range 100 {
		if m.quiet() {
			break
		}
		for _, typ := range modelTypes {
			m.answer(typ, false)
		}
	}
	for _, typ := range modelTypes {
		l := m.lists[typ]
		want := map[string]resource.Digest{}
		for name, r := range m.view.Table(typ).All() {
			if l.wants(name) {
				want[name] = r.Digest()
			}
		}
		if !maps.Equal(l.held, want) {
			m.t.Fatal(fmt.Sprintf("%s: client with %v holds %v, should hold %v", typ.Short(), l.names(),
				slices.Sorted(maps.Keys(l.held)), slices.Sorted(maps.Keys(want))))
		}
		if lane := m.talk.lane(typ); lane != nil && lane.subscribed() && lane.current != m.view.Version() {
			m.t.Fatal(typ.Short(), " is not reported current")
		}
	}
	m.talk.close()
	if n := m.common.interner.Names(); n != 0 {
		m.t.Fatal("names left after the end: ", n)
	}
}

func (m *model) quiet() bool {
	for _, l := range m.lists {
		if l.pending != nil {
			return false
		}
	}
	return true
}
