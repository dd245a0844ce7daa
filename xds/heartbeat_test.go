package xds

import (
	"slices"
	"testing"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
	"github.com/deltaplane/deltaplane/wire"
)

// putFor puts a resource with a TTL.
func (s *store) putFor(t failer, ttl time.Duration, m proto.Message) {
	t.Helper()
	r, err := resource.New(m)
	if err != nil {
		t.Fatal(err)
	}
	k := deltaplane.Key{Namespace: "default", Type: r.Type(), Name: r.Name()}
	s.tree = s.tree.Put(k.Path(), &deltaplane.Entry{Resource: r.WithTTL(ttl)})
}

// item is a resource in a response; whole says that it has a body.
type item struct {
	name, version string
	ttl           time.Duration
	whole         bool
}

// patient is a client that expires what it does not hear of, as Envoy does,
// with the server's side of its conversation, on a clock of their own.
type patient struct {
	t     *testing.T
	store store
	view  *view.View
	talk  *conversation
	now   time.Time

	held    map[string]item
	expires map[string]time.Time
	lost    []string // what expired
	sent    []*send
	whole   int // items with a body
	bare    int // and without
}

func newPatient(t *testing.T, delta bool, shared *common) *patient {
	shared.patience, shared.maxNames, shared.maxNamesInAll, shared.maxResponse = 15*time.Second, 100, 1000, 1<<20
	p := &patient{t: t, now: time.Unix(0, 0), held: map[string]item{}, expires: map[string]time.Time{}}
	p.talk = &conversation{common: shared, delta: delta, prefix: "p-", observe: func(Event) {}}
	p.view = view.New(p.store.commit(), []string{deltaplane.DefaultNamespace})
	p.talk.show(p.view, p.view.Version(), false)
	return p
}

// commit publishes what was put, and has the client accept all that follows.
func (p *patient) commit() {
	p.publish()
	p.accept()
}

func (p *patient) publish() {
	p.view = p.view.At(p.store.commit())
	p.talk.show(p.view, p.view.Version(), false)
}

func (p *patient) say(q request) {
	p.t.Helper()
	if _, err := p.talk.receive(q); err != nil {
		p.t.Fatal(err)
	}
}

// next is the next response, if there is one now, as the client reads it.
func (p *patient) next() (s *send, items []item, removed []string) {
	p.t.Helper()
	if s = p.talk.next(p.now); s == nil {
		return nil, nil, nil
	}
	p.sent = append(p.sent, s)
	buffers, err := wire.NewCodec().Marshal(s.response)
	if err != nil {
		p.t.Fatal(err)
	}
	var list []*discoveryv3.Resource
	if p.talk.delta {
		var m discoveryv3.DeltaDiscoveryResponse
		err = proto.Unmarshal(buffers.Materialize(), &m)
		list, removed = m.Resources, m.RemovedResources
	} else {
		var m discoveryv3.DiscoveryResponse
		err = proto.Unmarshal(buffers.Materialize(), &m)
		list = unwrapped(p.t, &m)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	for _, r := range list {
		items = append(items, item{r.Name, r.Version, r.Ttl.AsDuration(), r.Resource != nil})
	}
	return s, items, removed
}

// unwrapped lists the resources of a response that are in wrappers.
func unwrapped(t *testing.T, m *discoveryv3.DiscoveryResponse) (list []*discoveryv3.Resource) {
	for _, a := range m.Resources {
		var r discoveryv3.Resource
		if a.MessageIs(&r) {
			if err := a.UnmarshalTo(&r); err != nil {
				t.Fatal(err)
			}
			list = append(list, &r)
		}
	}
	return list
}

// accept takes in all that comes now.
func (p *patient) accept() {
	p.t.Helper()
	for range 100 {
		s, items, removed := p.next()
		if s == nil {
			return
		}
		answer := request{typeURL: s.lane.typ.URL(), nonce: s.response.Nonce, names: s.lane.sub.Names()}
		if s.lane.sub.Wildcard() {
			answer.names = append([]string{"*"}, answer.names...)
		}
		if !p.take(s, items, removed) {
			answer.refusal = &status.Status{Message: "a heartbeat for what is not held"}
		}
		p.say(answer)
	}
	p.t.Fatal("the server does not stop sending")
}

// take is false for a heartbeat of what the client does not have.
func (p *patient) take(s *send, items []item, removed []string) bool {
	for _, i := range items {
		if !i.whole && p.held[i.name].version != i.version {
			return false
		}
	}
	if !p.talk.delta && s.lane.typ.FullState() {
		clear(p.held)
		clear(p.expires)
	}
	for _, i := range items {
		if i.whole {
			p.held[i.name] = i
			p.whole++
		} else {
			p.bare++
		}
		if delete(p.expires, i.name); i.ttl > 0 {
			p.expires[i.name] = p.now.Add(i.ttl)
		}
	}
	for _, name := range removed {
		delete(p.held, name)
		delete(p.expires, name)
	}
	return true
}

// pass lets time go by, from one wake to the next. answers says whether the
// client answers meanwhile.
func (p *patient) pass(d time.Duration, answers bool) {
	p.t.Helper()
	end := p.now.Add(d)
	for range 10_000 {
		at, ok := p.talk.wake(p.now)
		if !ok || at.After(end) {
			p.now = end
			p.expire()
			return
		}
		if at.Before(p.now) {
			p.t.Fatalf("wakes at %v, which is past at %v", at, p.now)
		}
		p.now = at
		p.expire()
		if answers {
			p.accept()
		} else {
			for s, _, _ := p.next(); s != nil; s, _, _ = p.next() {
			}
		}
	}
	p.t.Fatal("it wakes without end")
}

func (p *patient) expire() {
	for name, at := range p.expires {
		if !p.now.Before(at) {
			p.lost = append(p.lost, name)
			delete(p.held, name)
			delete(p.expires, name)
		}
	}
}

func TestHeartbeatsWithoutBodiesKeepADeltaClientsResourcesAlive(t *testing.T) {
	p := newPatient(t, true, &common{})
	p.store.putFor(t, 3*time.Second, cluster("short", 0))
	p.store.putFor(t, 30*time.Second, cluster("long", 0))
	p.store.put(t, cluster("plain", 0))
	p.publish()
	p.say(request{typeURL: resource.Cluster.URL(), subscribe: []string{"*"}})
	p.accept()
	p.pass(5*time.Minute, true)
	if len(p.lost) > 0 || len(p.held) != 3 || p.whole != 3 {
		t.Errorf("%q expired, %v are held, %d bodies were sent", p.lost, p.held, p.whole)
	}
	// A third of the TTL, less up to a fifth of that: 300 to 375, and 30 to 37.
	if p.bare < 330 || p.bare > 415 {
		t.Errorf("%d heartbeats in five minutes for TTLs of 3 s and 30 s", p.bare)
	}
}

func TestATTLThatChangesIsNewsAndAHeartbeatIsNot(t *testing.T) {
	p := newPatient(t, true, &common{})
	told := 0
	p.talk.observe = func(e Event) {
		if e.Kind == Sent {
			told++
		}
	}
	p.say(request{typeURL: resource.Endpoint.URL(), subscribe: []string{"e"}})
	for _, ttl := range []time.Duration{time.Second, time.Minute, 0} {
		p.store.putFor(t, ttl, endpoints("e", 0))
		p.commit()
		p.pass(10*time.Second, true)
		if p.held["e"].ttl != ttl {
			t.Errorf("the client has TTL %s, want %s", p.held["e"].ttl, ttl)
		}
	}
	if len(p.lost) > 0 || told != 3 {
		t.Errorf("%q expired; %d responses were told of, want 3", p.lost, told)
	}
	if _, ok := p.talk.wake(p.now); ok {
		t.Error("something is due, but nothing has a TTL")
	}
}

func TestWhatWasRefusedIsNotKeptAliveButWhatWasBefore(t *testing.T) {
	p := newPatient(t, true, &common{})
	p.store.putFor(t, 3*time.Second, cluster("c", 0))
	p.publish()
	p.say(request{typeURL: resource.Cluster.URL(), subscribe: []string{"c"}})
	p.accept()
	good := p.held["c"].version
	p.store.putFor(t, 3*time.Second, cluster("c", 1))
	p.publish()
	s, items, _ := p.next()
	p.say(request{typeURL: resource.Cluster.URL(), nonce: s.response.Nonce, refusal: &status.Status{Message: "no"}})
	p.pass(time.Minute, true)
	if items[0].version == good || len(p.lost) > 0 || p.held["c"].version != good || p.whole != 1 {
		t.Errorf("refused %s; %q expired, %v is held, %d bodies", items[0].version, p.lost, p.held, p.whole)
	}

	other := newPatient(t, true, &common{})
	other.store.putFor(t, 3*time.Second, cluster("c", 0))
	other.publish()
	other.say(request{typeURL: resource.Cluster.URL(), subscribe: []string{"c"}})
	s, _, _ = other.next()
	other.say(request{typeURL: resource.Cluster.URL(), nonce: s.response.Nonce, refusal: &status.Status{Message: "no"}})
	other.pass(time.Minute, true)
	if len(other.sent) != 1 {
		t.Errorf("%d responses to a client that has nothing, want the one that it refused", len(other.sent))
	}
}

func TestNothingIsKeptAliveOnceItIsRemovedOrUnsubscribedFrom(t *testing.T) {
	for name, end := range map[string]func(*patient){
		"removed": func(p *patient) { p.store.drop(resource.Endpoint, "e"); p.commit() },
		"unsubscribed": func(p *patient) {
			p.say(request{typeURL: resource.Endpoint.URL(), unsubscribe: []string{"e"}})
			p.accept()
		},
	} {
		p := newPatient(t, true, &common{})
		p.store.putFor(t, 3*time.Second, endpoints("e", 0))
		p.publish()
		p.say(request{typeURL: resource.Endpoint.URL(), subscribe: []string{"e"}})
		p.accept()
		end(p)
		before := len(p.sent)
		if p.pass(time.Minute, true); len(p.sent) != before {
			t.Errorf("%s: %d more responses", name, len(p.sent)-before)
		}
	}
}

func TestAClientThatLostWhatAHeartbeatIsAboutGetsItWhole(t *testing.T) {
	p := newPatient(t, true, &common{})
	p.store.putFor(t, 3*time.Second, endpoints("e", 0))
	p.publish()
	p.say(request{typeURL: resource.Endpoint.URL(), subscribe: []string{"e"}})
	p.accept()
	clear(p.held) // it says so when it refuses the heartbeat
	p.pass(2*time.Second, true)
	if p.held["e"].version == "" || p.whole != 2 {
		t.Errorf("held %v after %d bodies", p.held, p.whole)
	}

	// It does not say so, but its answer comes later than the TTL allows.
	q := newPatient(t, true, &common{})
	q.store.putFor(t, 3*time.Second, endpoints("e", 0))
	q.publish()
	q.say(request{typeURL: resource.Endpoint.URL(), subscribe: []string{"e"}})
	q.accept()
	q.pass(10*time.Second, false)
	late := q.sent[len(q.sent)-1]
	q.say(request{typeURL: resource.Endpoint.URL(), nonce: late.response.Nonce})
	if q.accept(); q.whole != 2 || q.held["e"].version == "" {
		t.Errorf("held %v after %d bodies", q.held, q.whole)
	}
}

func TestAClientThatDoesNotAnswerGetsNoMoreThanItMay(t *testing.T) {
	p := newPatient(t, true, &common{})
	p.store.putFor(t, time.Second, cluster("warming", 0))
	p.store.putFor(t, time.Second, cluster("other", 0))
	p.publish()
	p.say(request{typeURL: resource.Cluster.URL(), subscribe: []string{"*"}})
	p.accept()
	before := len(p.sent)
	p.store.putFor(t, time.Second, cluster("warming", 1))
	p.publish()
	p.pass(14*time.Second, false)
	var again, beats int
	for _, s := range p.sent[before+1:] {
		if s.response.Frame == p.sent[before].response.Frame {
			again++
		} else {
			beats++
		}
	}
	if again < 40 || again > 54 || beats < 40 || beats > 54 {
		t.Errorf("in 14 s with a TTL of 1 s the response went again %d times, and there were %d heartbeats for the other", again, beats)
	}
	p.pass(10*time.Minute, false)
	if n := len(p.sent) - before; n > 54+4+maxBeats+1 {
		t.Errorf("%d responses to a client that answers none", n)
	}
	last := p.sent[len(p.sent)-1]
	if last.response.Frame == p.sent[before].response.Frame {
		t.Error("the response goes again although its time is over")
	}
	// The answer to the newest of the equal responses is that to all of them.
	for _, s := range slices.Backward(p.sent) {
		if s.response.Frame == p.sent[before].response.Frame {
			p.say(request{typeURL: resource.Cluster.URL(), nonce: s.response.Nonce})
			break
		}
	}
	if p.talk.lane(resource.Cluster).flight != nil {
		t.Error("the response still counts as unanswered")
	}
}

func TestInStateOfTheWorldResourcesComeAgainWhole(t *testing.T) {
	p := newPatient(t, false, &common{})
	p.store.putFor(t, 3*time.Second, cluster("c", 0))
	p.store.put(t, cluster("plain", 0))
	p.store.putFor(t, 3*time.Second, endpoints("e", 0))
	p.publish()
	p.say(request{typeURL: resource.Cluster.URL()})
	p.say(request{typeURL: resource.Endpoint.URL(), names: []string{"e"}})
	p.accept()
	first := map[resource.Type]string{}
	for _, s := range p.sent {
		first[s.lane.typ] = s.response.Frame.Version()
	}
	p.pass(time.Minute, true)
	for _, s := range p.sent {
		if s.response.Frame.Version() != first[s.lane.typ] {
			t.Errorf("%s went out in version %s, first it was %s", s.lane.typ.Short(), s.response.Frame.Version(), first[s.lane.typ])
		}
	}
	if len(p.lost) > 0 || p.bare > 0 || p.held["c"].ttl != 3*time.Second || p.whole < 61 || p.whole > 77 {
		t.Errorf("%q expired; %d without a body; held %v; %d sent", p.lost, p.bare, p.held, p.whole)
	}
	if _, ok := p.expires["e"]; ok {
		t.Error("endpoints have a TTL, which crashes Envoy")
	}

	// A refused change: what was accepted goes on.
	before := p.held["c"].version
	p.store.putFor(t, 3*time.Second, cluster("c", 1))
	p.publish()
	s, _, _ := p.next()
	p.say(request{typeURL: resource.Cluster.URL(), nonce: s.response.Nonce, names: []string{"*"}, refusal: &status.Status{Message: "no"}})
	p.pass(time.Minute, true)
	if len(p.lost) > 0 || p.held["c"].version != before {
		t.Errorf("%q expired, held %v", p.lost, p.held)
	}

	// A client that comes back may have lost what the version stands for.
	again := newPatient(t, false, &common{})

	again.talk.show(p.view, p.view.Version(), false)
	again.say(request{typeURL: resource.Cluster.URL(), version: hexOf(p.view.Table(resource.Cluster).Hash())})
	if again.accept(); again.whole != 1 {
		t.Errorf("%d resources with a TTL were sent to a client that came back", again.whole)
	}
}

func TestMembersOfACollectionComeAgainWhole(t *testing.T) {
	const prefix = "xdstp://auth/envoy.config.endpoint.v3.ClusterLoadAssignment/foo/"
	p := newPatient(t, true, &common{})
	p.store.putFor(t, 3*time.Second, endpoints(prefix+"member", 0))
	p.store.putFor(t, 3*time.Second, endpoints(prefix+"named", 0))
	p.publish()
	p.say(request{typeURL: resource.Endpoint.URL(), subscribe: []string{prefix + "*", prefix + "named"}})
	p.accept()
	p.pass(time.Minute, true)
	if len(p.lost) > 0 || p.bare < 60 || p.whole != p.bare+2 {
		t.Errorf("%q expired; %d with, %d without a body", p.lost, p.whole, p.bare)
	}
}

func TestStreamsInTheSameStateShareTheirHeartbeats(t *testing.T) {
	var shared common
	a := newPatient(t, true, &shared)
	a.store.putFor(t, 3*time.Second, cluster("c", 0))
	a.publish()
	b := newPatient(t, true, &shared)
	b.talk.show(a.view, a.view.Version(), false)
	for _, p := range []*patient{a, b} {
		p.say(request{typeURL: resource.Cluster.URL(), subscribe: []string{"*"}})
		p.accept()
		p.pass(time.Second, true)
	}
	x, y := a.sent[len(a.sent)-1], b.sent[len(b.sent)-1]
	if !x.heartbeat || x.response.Frame != y.response.Frame || !y.cached {
		t.Errorf("frames %p and %p", x.response.Frame, y.response.Frame)
	}
}
