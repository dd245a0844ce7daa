package xds

import (
	"testing"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
)

func TestRemovalsComeLast(t *testing.T) {
	waiting := &plan{Outcome: view.Outcome{Waiting: []string{"c"}}}
	for name, c := range map[string]struct {
		remove resource.Type
		others []standing
		want   bool
	}{
		"nothing else to do":                   {resource.Cluster, []standing{{typ: resource.Route}}, true},
		"a route is still to be sent":          {resource.Cluster, []standing{{typ: resource.Route, adds: true}}, false},
		"a route is on its way":                {resource.Cluster, []standing{{typ: resource.Route, inFlight: true}}, false},
		"a route is to be removed too":         {resource.Cluster, []standing{{typ: resource.Route, removes: true}}, false},
		"the cluster that uses it is to go":    {resource.Endpoint, []standing{{typ: resource.Cluster, removes: true}}, false},
		"endpoints are to go after":            {resource.Cluster, []standing{{typ: resource.Endpoint, removes: true}}, true},
		"routes go before what they refer to":  {resource.Route, []standing{{typ: resource.Cluster, removes: true}}, true},
		"its own additions do not count":       {resource.Cluster, []standing{{typ: resource.Cluster, adds: true, removes: true}}, true},
		"a listener goes before its secret":    {resource.Secret, []standing{{typ: resource.Listener, removes: true}}, false},
		"hosts of the past are still there":    {resource.Cluster, []standing{{typ: resource.Route, bridged: true}}, false},
		"a virtual host goes before its route": {resource.Route, []standing{{typ: resource.VirtualHost, removes: true}}, false},
	} {
		if got := mayRemove(c.remove, waiting, c.others); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestAllTypesHaveAPlaceInTheOrder(t *testing.T) {
	last := -1
	for _, typ := range resource.Served() {
		if rank := rankOf(typ); rank <= last {
			t.Errorf("%s: rank %d after %d", typ.Short(), rank, last)
		} else {
			last = rank
		}
	}
	if rankOf("example.v1.Thing") <= last {
		t.Error("a type that nobody serves comes before one that is")
	}
}

func TestTheGateHoldsWhatMentionsANewCluster(t *testing.T) {
	snapshot := func(clusters ...string) *view.View {
		var s store
		for _, name := range clusters {
			s.put(t, cluster(name, 0))
		}
		s.put(t, route("new", "c1", 0), route("old", "c0", 0))
		return view.New(s.commit(), []string{"default"})
	}
	var interner view.Interner
	all := interner.Of(true, nil)
	before, after := snapshot("c0"), snapshot("c0", "c1")
	added := &plan{Outcome: view.Diff(view.Holding(before.Table(resource.Cluster), view.Table{}), after.Table(resource.Cluster), all, view.Limits{})}
	held := func(g gate) (names []string) {
		return view.Diff(view.Nothing(), after.Table(resource.Route), all, view.Limits{Hold: g.holds}).Gated
	}
	if got := held(gate{flight: added}); len(got) != 1 || got[0] != "new" {
		t.Errorf("in flight: holds %q, want the route to the new cluster alone", got)
	}
	if got := held(gate{pending: added}); len(got) != 1 {
		t.Errorf("not sent yet: holds %q", got)
	}
	if got := held(gate{refused: added}); len(got) != 0 {
		t.Errorf("refused: holds %q from a client that has nothing", got)
	}
	if got := held(gate{}); len(got) != 0 {
		t.Errorf("open: holds %q", got)
	}
}
