package fleet_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/fleet"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/xds"
)

func TestStatusFollowsWhatAProxyWasSentAndAccepted(t *testing.T) {
	latest := deltaplane.Version(3)
	s := newScene(fleet.Config{Latest: func() deltaplane.Version { return latest }})
	id := s.open("edge-1", resource.Route, resource.Cluster)
	s.does(id, xds.Sent, resource.Cluster, 3)

	st := s.status(t, "edge-1")
	if st.State != fleet.Behind || st.Version != 0 || st.Behind != 3 || !st.Connected || !st.Since.Equal(start.Add(time.Second)) {
		t.Errorf("before any acknowledgement: %+v", st)
	}
	if got := []resource.Type{st.Types[0].Type, st.Types[1].Type}; !slices.Equal(got, []resource.Type{resource.Cluster, resource.Route}) {
		t.Errorf("types are %v, want serving order", got)
	}
	if c := st.Types[0]; c.Sent != 3 || c.Acked != 0 || !c.Since.Equal(c.LastSent) || !c.ADS || !c.Delta || !c.Wildcard {
		t.Errorf("with a response in flight: %+v", c)
	}

	s.does(id, xds.Current, resource.Route, 3)
	s.does(id, xds.Acked, resource.Cluster, 3)
	st = s.status(t, "edge-1")
	if st.State != fleet.Behind || st.Types[0].Acked != 3 || st.Types[0].Held != 2 || !st.LastAck.Equal(s.now) {
		t.Errorf("after an acknowledgement, as more may follow: %+v", st)
	}
	s.does(id, xds.Current, resource.Cluster, 3)
	st = s.status(t, "edge-1")
	if st.State != fleet.InSync || st.Version != 3 || st.Behind != 0 || !st.LastAck.Equal(s.now.Add(-time.Second)) {
		t.Errorf("when nothing is left: %+v", st)
	}
	if st.Responses != 1 || st.Bytes != 100 || st.Agent != "envoy 1.40.0" || st.Cluster != "edge" || st.Peer != "192.0.2.1:4711" {
		t.Errorf("particulars: %+v", st)
	}

	since := st.Types[0].Since
	latest = 5
	st = s.status(t, "edge-1")
	if st.State != fleet.Behind || st.Version != 3 || st.Behind != 2 {
		t.Errorf("two commits later: %+v", st)
	}

	s.does(id, xds.Current, resource.Cluster, 5)
	if c := s.status(t, "edge-1").Types[0]; c.State != fleet.InSync || c.Held != 5 || !c.Since.Equal(since) {
		t.Errorf("by a version that changes nothing of it: %+v, want in sync since %v", c, since)
	}
	s.close(id)
	if c := s.status(t, "edge-1").Types[0]; c.State != fleet.Disconnected || !c.Since.Equal(s.now) {
		t.Errorf("after the disconnect: %+v", c)
	}
}

func TestARefusalStaysUntilSomethingNewerIsAccepted(t *testing.T) {
	steps := []struct {
		name    string
		kind    xds.Kind
		version deltaplane.Version
		refused bool
	}{
		{"an older response is acknowledged", xds.Acked, 4, true},
		{"another response of the same version is acknowledged", xds.Acked, 5, true},
		{"it is current as of an older version", xds.Current, 4, true},
		{"a response is sent", xds.Sent, 6, true},
		{"a newer response is acknowledged", xds.Acked, 6, false},
		{"it is current as of that version", xds.Current, 5, false},
	}
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			s := newScene(fleet.Config{})
			id := s.open("edge-7", resource.Cluster)
			s.does(id, xds.Current, resource.Cluster, 4)
			s.does(id, xds.Sent, resource.Cluster, 5)
			s.refuse(id, resource.Cluster, 5, "connect_timeout: must be > 0", "pay")
			at := s.now
			s.does(id, step.kind, resource.Cluster, step.version)

			c := s.status(t, "edge-7").Types[0]
			if (c.Refusal != nil) != step.refused || (c.State == fleet.Refused) != step.refused {
				t.Fatalf("refusal %+v, state %s; want refused: %v", c.Refusal, c.State, step.refused)
			}
			if c.Refusals != 1 {
				t.Errorf("%d refusals counted, want 1", c.Refusals)
			}
			want := fleet.Refusal{Version: 5, Time: at, Detail: "connect_timeout: must be > 0", Resources: []string{"pay"}}
			if step.refused && (!reflect.DeepEqual(*c.Refusal, want) || !c.Since.Equal(at)) {
				t.Errorf("refusal %+v since %v, want %+v", *c.Refusal, c.Since, want)
			}
		})
	}
}

func TestANodeWithSeveralStreamsIsInTheWorstStateOfAny(t *testing.T) {
	s := newScene(fleet.Config{})
	old, young := s.open("edge-1", resource.Cluster), s.open("edge-1", resource.Cluster, resource.Listener)
	s.arrives(old, resource.Cluster, 2)
	s.arrives(young, resource.Cluster, 1)
	s.arrives(young, resource.Listener, 2)
	st := s.status(t, "edge-1")
	if st.State != fleet.Behind || st.Streams != 2 || st.Types[0].Held != 1 || st.Types[0].Acks != 2 {
		t.Errorf("one of two streams is behind: %+v", st)
	}
	s.close(young)
	st = s.status(t, "edge-1")
	if st.State != fleet.InSync || st.Streams != 1 || len(st.Types) != 1 || st.Types[0].Acks != 2 {
		t.Errorf("that stream has ended: %+v", st)
	}
}

func TestAnEndedSubscriptionIsNotShown(t *testing.T) {
	s := newScene(fleet.Config{})
	id := s.open("edge-1", resource.Cluster, resource.Endpoint)
	s.tell(xds.Event{Kind: xds.Subscribed, Stream: id, Type: resource.Endpoint})
	s.arrives(id, resource.Cluster, 1)
	s.arrives(id, resource.Endpoint, 1)
	st := s.status(t, "edge-1")
	if len(st.Types) != 1 || st.Types[0].Type != resource.Cluster || st.State != fleet.InSync {
		t.Errorf("after the end of its endpoints: %+v", st)
	}
}

func TestAProxyThatHasLeftShowsWhatItHeld(t *testing.T) {
	s := newScene(fleet.Config{})
	id := s.open("edge-1", resource.Cluster)
	s.does(id, xds.Sent, resource.Cluster, 2)
	s.refuse(id, resource.Cluster, 2, strings.Repeat("x", 4000))
	s.close(id)
	st := s.status(t, "edge-1")
	if st.State != fleet.Disconnected || st.Connected || !st.Since.Equal(s.now) || len(st.Types) != 1 || st.Types[0].Refusal == nil {
		t.Fatalf("after the disconnect: %+v", st)
	}
	if n := len(st.Types[0].Refusal.Detail); n > 512 {
		t.Errorf("%d bytes of the reason are kept, want at most 512", n)
	}
	if got := s.Summary(); got.Disconnected != 1 || got.Refused != 0 {
		t.Errorf("summary %+v, want one disconnected", got)
	}

	id = s.open("edge-1", resource.Listener)
	s.does(id, xds.Sent, resource.Listener, 2)
	st = s.status(t, "edge-1")
	if len(st.Types) != 1 || st.Types[0].Type != resource.Listener || !st.Connected {
		t.Errorf("after it came back: %+v", st)
	}
	if st.Responses != 2 || st.Refusals != 1 || st.Bytes != 200 {
		t.Errorf("counters do not go on after a reconnect: %+v", st)
	}
}

func TestSummaryCountsEachProxyOnce(t *testing.T) {
	s := newScene(fleet.Config{})
	for i, node := range []string{"a", "b", "c", "d", "e"} {
		id := s.open(node, resource.Cluster, resource.Listener)
		s.arrives(id, resource.Cluster, 2)
		switch i {
		case 0, 1:
			s.does(id, xds.Current, resource.Listener, 2)
		case 2:
			s.refuse(id, resource.Listener, 2, "no")
		case 3:
			s.close(id)
		}
		if i == 1 {
			s.tell(xds.Event{Kind: xds.Current, Stream: id, Type: resource.Cluster, Version: 2, Fleet: "", Retained: true})
		}
	}
	want := fleet.Summary{Version: 2, InSync: 2, Behind: 1, Refused: 1, Disconnected: 1, Retained: 1}
	if got := s.Summary(); got != want {
		t.Errorf("summary %+v, want %+v", got, want)
	}
	var ids []string
	for _, st := range s.Nodes() {
		ids = append(ids, st.Node)
	}
	if !slices.Equal(ids, []string{"a", "b", "c", "d", "e"}) {
		t.Errorf("nodes are %v, want them sorted", ids)
	}
}

func TestStatusNeedsNoTypeToBeJSON(t *testing.T) {
	s := newScene(fleet.Config{})
	s.open("edge-1")
	b, err := json.Marshal(s.Nodes())
	if err != nil || !strings.Contains(string(b), `"types":[]`) || !strings.Contains(string(b), `"state":"in_sync"`) {
		t.Errorf("JSON of a node without types: %s, %v", b, err)
	}
}

func TestChangedTellsOfTheNextEvent(t *testing.T) {
	s := newScene(fleet.Config{})
	c := s.Changed()
	if c != s.Changed() {
		t.Error("two listeners got two channels")
	}
	select {
	case <-c:
		t.Error("a change is told before any event")
	default:
	}
	s.open("edge-1")
	select {
	case <-c:
	default:
		t.Error("an event is not told")
	}
	if s.Changed() == c {
		t.Error("the channel of a past change is handed out again")
	}
}

func TestEveryServedTypeIsTracked(t *testing.T) {
	s := newScene(fleet.Config{})
	s.open("edge-1", append(resource.Served(), "example.Unserved")...)
	if got := len(s.status(t, "edge-1").Types); got != len(resource.Served()) {
		t.Errorf("%d types are tracked, want the %d served ones", got, len(resource.Served()))
	}
}

func TestAStreamThatIsCurrentInAllItsTypesHoldsEachOfThem(t *testing.T) {
	s := newScene(fleet.Config{})
	id := s.open("n", resource.Cluster, resource.Route)
	s.arrives(id, resource.Cluster, 1)
	s.arrives(id, resource.Route, 1)
	s.does(id, xds.Current, "", 4)
	st := s.status(t, "n")
	if st.Version != 4 || st.State != fleet.InSync || len(st.Types) != 2 || st.Types[0].Held != 4 || st.Types[1].Held != 4 {
		t.Errorf("%+v", st)
	}
}
