package xds

import (
	"slices"
	"testing"

	"github.com/deltaplane/deltaplane/resource"
)

func TestAVersionThatDoesNotConcernAClientCostsOneEvent(t *testing.T) {
	k := newTalker(t, true)
	k.store.put(t, cluster("c", 0), endpoints("e", 0))
	k.commit()
	k.subscribes(resource.Cluster, "c")
	k.subscribes(resource.Endpoint, "e")
	k.subscribes(resource.Listener, "l")
	k.settles()
	var events []Event
	k.talk.observe = func(e Event) { events = append(events, e) }
	for n := range 3 {
		k.store.put(t, cluster("other", n), endpoints("other", n))
		k.commit()
		k.hears("")
		k.hears("")
		if len(events) != n+1 || events[n].Kind != Current || events[n].Type != "" || events[n].Version != k.view.Version() {
			t.Fatalf("after %d versions: %+v", n+1, events)
		}
	}
	k.store.put(t, cluster("c", 1), endpoints("other", 5))
	k.commit()
	k.hears("Cluster +c")
	kinds := func() (kinds []Kind) {
		for _, e := range events[3:] {
			kinds = append(kinds, e.Kind)
		}
		return kinds
	}
	if got := kinds(); !slices.Contains(got, Sent) {
		t.Errorf("of a version that concerns it: %v", got)
	}
}
