package client

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"pgregory.net/rapid"
)

// authority is a delta server of the plainest kind: it keeps, by name, what it
// believes the client to hold, and does not wait for answers.
type authority struct {
	world map[string]int // what there is: name → version

	// Of the present stream.
	subscribed set
	believes   map[string]string            // name → version, unknown or absent
	refused    map[string]string            // not sent again
	inFlight   map[string]map[string]string // nonce → what believes said
	nonces     int
	greeted    bool
}

const (
	unknown = "?"
	absent  = "-"
)

func (a *authority) hang() {
	a.subscribed, a.believes, a.refused, a.inFlight, a.greeted = set{}, map[string]string{}, map[string]string{}, map[string]map[string]string{}, false
}

func (a *authority) hear(t *rapid.T, q *discoveryv3.DeltaDiscoveryRequest) {
	if !a.greeted {
		if q.ResponseNonce != "" || len(q.ResourceNamesSubscribe) == 0 {
			t.Fatalf("the first request on a stream is %v", q)
		}
		a.greeted = true
		maps.Copy(a.believes, q.InitialResourceVersions)
	} else if len(q.InitialResourceVersions) > 0 {
		t.Fatalf("a later request has initial versions: %v", q)
	}
	if q.ResponseNonce != "" {
		names, ok := a.inFlight[q.ResponseNonce]
		if !ok {
			t.Fatalf("the client answers %q, which is of another stream or was answered", q.ResponseNonce)
		}
		delete(a.inFlight, q.ResponseNonce)
		if q.ErrorDetail != nil {
			for name, version := range names {
				if a.believes[name] == version { // nothing newer is on its way
					a.refused[name], a.believes[name] = version, unknown
				}
			}
		}
	}
	for _, name := range q.ResourceNamesUnsubscribe {
		delete(a.subscribed, name)
		a.again(name)
	}
	for _, name := range q.ResourceNamesSubscribe {
		a.subscribed[name] = struct{}{}
		if q.InitialResourceVersions == nil {
			a.again(name)
		}
	}
}

// again has a name answered whatever is believed.
func (a *authority) again(name string) {
	for n := range a.believes {
		if n == name || name == wildcard {
			a.believes[n] = unknown
			delete(a.refused, n)
		}
	}
}

func (a *authority) wants(name string) bool {
	_, all := a.subscribed[wildcard]
	_, one := a.subscribed[name]
	return all || one
}

// differences is what the client lacks.
func (a *authority) differences() (upserts, removed []string) {
	for name, v := range a.world {
		version := strconv.Itoa(v)
		if a.wants(name) && a.believes[name] != version && a.refused[name] != version {
			upserts = append(upserts, name)
		}
	}
	names := maps.Clone(a.subscribed)
	for name := range a.believes {
		names[name] = struct{}{}
	}
	for name := range names {
		if _, there := a.world[name]; !there && name != wildcard && a.wants(name) && a.believes[name] != absent {
			removed = append(removed, name)
		}
	}
	slices.Sort(upserts)
	slices.Sort(removed)
	return upserts, removed
}

// say sends up to n differences; nil if there are none.
func (a *authority) say(n int) *discoveryv3.DeltaDiscoveryResponse {
	upserts, removed := a.differences()
	if !a.greeted || len(upserts)+len(removed) == 0 {
		return nil
	}
	upserts = upserts[:min(n, len(upserts))]
	removed = removed[:min(n-len(upserts), len(removed))]
	a.nonces++
	m := &discoveryv3.DeltaDiscoveryResponse{Nonce: strconv.Itoa(a.nonces), RemovedResources: removed}
	sent := map[string]string{}
	for _, name := range upserts {
		version := strconv.Itoa(a.world[name])
		a.believes[name], sent[name] = version, version
		delete(a.refused, name)
		m.Resources = append(m.Resources, &discoveryv3.Resource{Name: name, Version: version,
			Resource: &anypb.Any{TypeUrl: "t", Value: []byte(version)}})
	}
	for _, name := range removed {
		a.believes[name], sent[name] = absent, absent
		delete(a.refused, name)
	}
	a.inFlight[m.Nonce] = sent
	return m
}

// scene is the subscription under test, its application, and the wires.
type scene struct {
	authority
	s        *subscription
	app      map[string]string // what it has accepted
	toClient []*discoveryv3.DeltaDiscoveryResponse
	toServer []*discoveryv3.DeltaDiscoveryRequest
}

func (x *scene) cut() {
	x.toClient, x.toServer = nil, nil
	x.hang()
	x.s.begin()
}

func (x *scene) speak() { x.toServer = append(x.toServer, x.s.requests()...) }

func (x *scene) listen(t *rapid.T) bool {
	if len(x.toServer) == 0 {
		return false
	}
	x.hear(t, x.toServer[0])
	x.toServer = x.toServer[1:]
	return true
}

func (x *scene) send(n int) bool {
	m := x.say(n)
	if m != nil {
		x.toClient = append(x.toClient, m)
	}
	return m != nil
}

func (x *scene) receive() bool {
	if len(x.toClient) == 0 {
		return false
	}
	x.s.take(parse(x.toClient[0], "t", at(0)))
	x.toClient = x.toClient[1:]
	return true
}

// bad versions are refused by the application, whenever they come.
func bad(version string) bool {
	v, err := strconv.Atoi(version)
	return err == nil && v%5 == 0
}

func (x *scene) settle() bool {
	if x.s.hand == nil {
		return false
	}
	refused := map[string]error{}
	for name, c := range x.s.hand.changes {
		switch {
		case c.body == nil:
			delete(x.app, name)
		case bad(c.version):
			refused[name] = errTest
		default:
			x.app[name] = c.version
		}
	}
	x.s.settle(refused, nil)
	return true
}

func (x *scene) turn(t *rapid.T) bool {
	if x.s.anew {
		x.cut()
		return true
	}
	x.speak()
	moved := false
	for _, step := range []bool{x.listen(t), x.send(100), x.receive(), x.settle(), x.s.next() != nil} {
		moved = moved || step
	}
	return moved || len(x.s.replies) > 0
}

// check compares the application with what the subscription says of it.
func (x *scene) check(t *rapid.T) {
	for name, version := range x.app {
		if h, ok := x.s.held[name]; ok && !h.absent && h.version == version {
			continue
		}
		pending, _ := x.s.pending.get(name)
		hand, _ := x.s.hand.get(name)
		if !pending.forced && !hand.forced {
			t.Fatalf("the application has %s at %s, but %v is held", name, version, x.s.held)
		}
	}
	for name, h := range x.s.held {
		if !h.absent && x.app[name] != h.version {
			t.Fatalf("%s is held at %s, but the application has %v", name, h.version, x.app)
		}
	}
}

func TestAnApplicationEndsUpWithTheWorldWhateverHappensOnTheWay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"a", "b"})
		some := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "*"}), 1, 2, rapid.ID[string])
		x := &scene{s: newSubscription("t", some.Draw(t, "wanted")), app: map[string]string{}}
		x.world = map[string]int{"a": 1, "b": 5}
		x.hang()
		t.Repeat(map[string]func(*rapid.T){
			"":            x.check,
			"change":      func(t *rapid.T) { x.world[name.Draw(t, "name")] = rapid.IntRange(3, 6).Draw(t, "version") },
			"remove":      func(t *rapid.T) { delete(x.world, name.Draw(t, "name")) },
			"subscribe":   func(t *rapid.T) { x.s.subscribe(some.Draw(t, "names")) },
			"unsubscribe": func(t *rapid.T) { x.s.unsubscribe(some.Draw(t, "names")) },
			"speak":       func(*rapid.T) { x.speak() },
			"listen":      func(t *rapid.T) { x.listen(t) },
			"send":        func(t *rapid.T) { x.send(rapid.IntRange(1, 3).Draw(t, "n")) },
			"receive":     func(*rapid.T) { x.receive() },
			"next": func(*rapid.T) {
				if x.s.hand == nil {
					x.s.next()
				}
			},
			"settle": func(*rapid.T) { x.settle() },
			"turn":   func(t *rapid.T) { x.turn(t) },
			"turns": func(t *rapid.T) {
				for range 3 {
					x.turn(t)
				}
			},
			"cut": func(*rapid.T) { x.cut() },
		})
		turns := 0
		for x.turn(t) {
			if turns++; turns > 200 {
				t.Fatal("client and server do not come to rest")
			}
		}
		x.check(t)
		want := fmt.Sprintf("the world is %v, of which the client wants %v, the application has %v", x.world, x.s.wanted, x.app)
		for _, name := range []string{"a", "b"} {
			v, there := x.world[name]
			got, has := x.app[name]
			switch version := strconv.Itoa(v); {
			case (!there || !x.s.wants(name, nil)) && has:
				t.Fatalf("%s should be gone: %s", name, want)
			case there && x.s.wants(name, nil) && !bad(version) && got != version:
				t.Fatalf("%s is wrong: %s", name, want)
			case x.believes[name] != unknown && x.believes[name] != absent && x.believes[name] != got:
				t.Fatalf("the server believes that %s is held at %q: %s", name, x.believes[name], want)
			case has && bad(got):
				t.Fatalf("%s was refused: %s", name, want)
			}
		}
		if x.s.unanswered != 0 {
			t.Fatalf("%d responses are still unanswered", x.s.unanswered)
		}
	})
}
