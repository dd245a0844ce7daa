package xds

import (
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/status"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
)

func TestAnAnswerThatNeverComesHoldsTheOthersUpForAWhileOnly(t *testing.T) {
	var s store
	s.put(t, route("r", "none", 0))
	v := view.New(s.commit(), []string{deltaplane.DefaultNamespace})
	talk := &conversation{common: &common{patience: 15 * time.Second, maxNames: 10, maxNamesInAll: 10}, delta: true, observe: func(Event) {}}
	talk.show(v, v.Version(), false)
	start := time.Unix(0, 0)
	for _, typ := range []resource.Type{resource.Cluster, resource.Route} {
		if _, err := talk.receive(request{typeURL: typ.URL(), subscribe: []string{"*"}}); err != nil {
			t.Fatal(err)
		}
		answer := talk.next(start)
		if _, err := talk.receive(request{typeURL: typ.URL(), nonce: answer.response.Nonce}); err != nil {
			t.Fatal(err)
		}
	}

	s.put(t, cluster("c", 0), route("r", "c", 1))
	v = v.At(s.commit())
	talk.show(v, v.Version(), false)
	if got := talk.next(start); got == nil || got.lane.typ != resource.Cluster {
		t.Fatalf("first came %+v, want the cluster", got)
	}
	if got := talk.next(start.Add(14 * time.Second)); got != nil {
		t.Errorf("%s came before the cluster was accepted", got.lane.typ.Short())
	}
	if at, ok := talk.wake(start); !ok || !at.Equal(start.Add(15*time.Second)) {
		t.Errorf("wakes at %v %v, want after 15 s", at, ok)
	}
	var told []Event
	talk.observe = func(e Event) { told = append(told, e) }
	if got := talk.next(start.Add(15 * time.Second)); got == nil || got.lane.typ != resource.Route {
		t.Errorf("after 15 s came %+v, want the route", got)
	}
	if len(told) == 0 || told[0].Kind != Overdue || told[0].Type != resource.Cluster || told[0].Version != v.Version() {
		t.Errorf("told is %+v, want that the clusters are overdue first", told)
	}
	if talk.next(start.Add(16 * time.Second)); len(told) > 2 {
		t.Errorf("told is %+v, want it once", told[2:])
	}
	if _, ok := talk.wake(start.Add(15 * time.Second)); !ok {
		t.Error("nothing wakes it for the route's answer")
	}
}

func TestARefusedClusterHoldsNoRoutesOnceNobodyWantsClusters(t *testing.T) {
	k := newTalker(t, false)
	k.store.put(t, cluster("c", 0), route("r", "none", 0))
	k.commit()
	k.subscribes(resource.Route, "r")
	k.settles()
	k.subscribes(resource.Cluster, "c")
	k.hears("Cluster +c")
	k.says(request{typeURL: resource.Cluster.URL(), nonce: k.nonces[resource.Cluster], refusal: &status.Status{Message: "no"}})
	k.store.put(t, route("r", "c", 1))
	k.commit()
	k.hears("") // the routes that it has are better than some that lead nowhere
	k.says(request{typeURL: resource.Cluster.URL(), unsubscribe: []string{"c"}})
	k.hears("Route +r")
}
