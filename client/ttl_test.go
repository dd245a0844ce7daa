package client

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/types/known/durationpb"
)

// beat is a heartbeat: no body, the version that the client should have.
func beat(nonce, name, version string, ttl time.Duration) *discoveryv3.DeltaDiscoveryResponse {
	r := &discoveryv3.Resource{Name: name, Version: version}
	if ttl > 0 {
		r.Ttl = durationpb.New(ttl)
	}
	return &discoveryv3.DeltaDiscoveryResponse{TypeUrl: clusterURL, Nonce: nonce, Resources: []*discoveryv3.Resource{r}}
}

func TestAResourceLivesAsLongAsItsHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t.Context(), t)
		lines, _ := following(t.Context(), t, s.stream, nil)
		wire, _ := s.opened()
		wire.come <- have("1", "v1", 10*time.Second, "a", "b")
		<-lines
		<-wire.sent
		for i := range 5 {
			time.Sleep(8 * time.Second) // of the bubble's clock
			wire.come <- beat("beat", "a", "v1", 15*time.Second)
			if q := <-wire.sent; q.ResponseNonce != "beat" || q.ErrorDetail != nil {
				t.Fatalf("a heartbeat is answered with %v", q)
			}
			if i == 0 { // b had no heartbeat
				if got, at := <-lines, time.Now(); got != "-b " {
					t.Fatalf("after 10 s without a heartbeat: %q at %v", got, at)
				}
			}
		}
		wire.come <- beat("for ever", "a", "v1", 0) // no time to live any more
		<-wire.sent
		select {
		case got := <-lines:
			t.Errorf("a resource that lives for ever is gone: %q", got)
		case <-time.After(time.Hour):
		}
		s.stream.Close()
	})
}

func TestAResourceExpiresWhileTheControlPlaneIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t.Context(), t)
		lines, _ := following(t.Context(), t, s.stream, nil, "a", "b")
		wire, _ := s.opened()
		m := have("1", "v1", 10*time.Second, "a")
		m.Resources = append(m.Resources, have("", "v1", 0, "b").Resources...)
		began := time.Now()
		wire.come <- m
		<-lines
		<-wire.sent
		wire.fail <- errTest
		if got := <-lines; got != "-a " || time.Since(began) != 10*time.Second {
			t.Errorf("%q after %s", got, time.Since(began))
		}
		if _, hello := s.opened(); len(hello.InitialResourceVersions) != 1 || hello.InitialResourceVersions["b"] != "v1" {
			t.Errorf("it comes back with %v, want b alone", hello.InitialResourceVersions)
		}
		s.stream.Close()
	})
}

// A heartbeat for what has expired means that the server believes it to be
// held, so it would never send it again.
func TestAHeartbeatThatComesTooLateBringsTheResourceBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t.Context(), t)
		lines, _ := following(t.Context(), t, s.stream, nil)
		wire, _ := s.opened()
		wire.come <- have("1", "v1", 10*time.Second, "a")
		<-lines
		<-wire.sent
		if got := <-lines; got != "-a " {
			t.Fatalf("%q", got)
		}
		wire.come <- beat("2", "a", "v1", 10*time.Second)
		go func() { <-wire.sent }()
		again, hello := s.opened()
		if len(hello.InitialResourceVersions) != 0 {
			t.Errorf("it comes back with %v", hello.InitialResourceVersions)
		}
		again.come <- have("3", "v1", 10*time.Second, "a")
		if got := <-lines; got != "+a=v1 " {
			t.Errorf("%q", got)
		}
		s.stream.Close()
	})
}

func TestAHeartbeatOfAnotherVersionRenewsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t.Context(), t)
		lines, _ := following(t.Context(), t, s.stream, nil)
		wire, _ := s.opened()
		wire.come <- have("1", "v1", 10*time.Second, "a")
		<-lines
		<-wire.sent
		time.Sleep(5 * time.Second)
		for _, b := range []*discoveryv3.DeltaDiscoveryResponse{beat("2", "a", "v2", time.Hour), beat("3", "nobody", "v1", time.Hour)} {
			wire.come <- b
			<-wire.sent
		}
		began := time.Now()
		if got := <-lines; got != "-a " || time.Since(began) != 5*time.Second {
			t.Errorf("%q after %s", got, time.Since(began))
		}
		s.stream.Close()
	})
}

// A virtual host that does not exist comes as a resource without body and
// version, under the name that was asked for.
func TestAMissingVirtualHostIsToldAsRemoved(t *testing.T) {
	s := newSubscription("t", []string{"rc/none.example"})
	s.begin()
	s.requests()
	s.take(parse(&discoveryv3.DeltaDiscoveryResponse{Nonce: "1", Resources: []*discoveryv3.Resource{
		{Name: "rc/none.example", Aliases: []string{"rc/none.example"}}}}, "t", at(0)))
	if b := s.next(); b == nil || len(b.changes) != 1 || b.changes["rc/none.example"].body != nil {
		t.Errorf("the application gets %+v", b)
	}
}

func TestAliasesAndGlobsBelongToASubscription(t *testing.T) {
	s := newSubscription("t", []string{"rc/a.example", "xdstp://x/t/shop/*", "xdstp://x/t/eu/*?zone=1"})
	for name, c := range map[string]struct {
		aliases []string
		want    bool
	}{
		"rc/a":                        {[]string{"rc/a.example"}, true},
		"rc/b":                        {[]string{"rc/b.example"}, false},
		"rc/a.example":                {nil, true},
		"xdstp://x/t/shop/cart":       {nil, true},
		"xdstp://x/t/shop/eu/cart":    {nil, false},
		"xdstp://x/t/blog/cart":       {nil, false},
		"xdstp://x/t/eu/cart?zone=1":  {nil, true},
		"xdstp://x/t/eu/cart?zone=2":  {nil, false},
		"xdstp://x/t/shop/cart?zone=": {nil, false},
	} {
		if got := s.wants(name, c.aliases); got != c.want {
			t.Errorf("%s %v: %t", name, c.aliases, got)
		}
	}
	s.begin()
	s.requests()
	body := have("1", "v1", 0, "rc/a")
	body.Resources[0].Aliases = []string{"rc/a.example"}
	s.take(parse(body, clusterURL, at(0)))
	s.next()
	s.settle(nil, nil)
	s.unsubscribe([]string{"xdstp://x/t/shop/*"})
	if _, held := s.held["rc/a"]; !held {
		t.Error("what is wanted by its alias was given up with something else")
	}
	s.unsubscribe([]string{"rc/a.example"})
	q := s.requests()
	if len(q) != 2 || !slices.Equal(q[1].ResourceNamesUnsubscribe, []string{"rc/a.example", "xdstp://x/t/shop/*"}) {
		t.Errorf("the server is told %v", q)
	}
	if b := s.next(); b == nil || !b.changes["rc/a"].forced {
		t.Errorf("the application gets %+v", b)
	}
}
