package cost

import (
	"context"
	"fmt"
	"testing"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/fleet"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/xds"
)

// visits is to how many streams versions have been brought.
func visits(t *testing.T, r *prometheus.Registry) int {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "deltaplane_stream_visits_total" {
			return int(f.Metric[0].GetCounter().GetValue())
		}
	}
	t.Fatal("no metric of visits")
	return 0
}

// inTeam are requests of a node of one team, for clusters.
func inTeam(i int) func(node string) []*discoveryv3.DeltaDiscoveryRequest {
	return func(node string) []*discoveryv3.DeltaDiscoveryRequest {
		return wildcards(resource.Cluster)(fmt.Sprintf("team-%d-%s", i, node))
	}
}

func TestStreamsThatAVersionDoesNotConcernAreNotVisited(t *testing.T) {
	const others = 60
	registry := prometheus.NewRegistry()
	w := newWorld(t, xds.Config{Registerer: registry}, many(10, cluster)...)
	w.put("", team(0), team(1))
	w.put("team-0", cluster(7, 1))
	w.commit()
	w.awaitKind(rested, concerned+others, func() {
		w.connect(concerned, inTeam(0))
		w.connect(others, inTeam(1))
	})
	rests := func(streams int, what string, put func(n int)) {
		t.Helper()
		for n := range 5 {
			before := visits(t, registry)
			put(n)
			w.awaitKind(rested, streams, w.commit)
			if err := w.settled(); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			if got := visits(t, registry) - before; got != streams {
				t.Fatalf("%s: %d streams are visited, want %d", what, got, streams)
			}
		}
	}
	rests(concerned, "a change for one team", func(n int) { w.put("team-0", cluster(7, 2+n)) })
	rests(0, "a change for nobody", func(n int) { w.put("nobody", cluster(7, n)) })
	rests(concerned+others, "a change for all", func(n int) { w.put(deltaplane.DefaultNamespace, cluster(8, 2+n)) })
	rests(concerned+others, "a fleet more", func(n int) { w.put("", team(2+n)) })
}

// settled returns when all proxies hold the newest version, or not in time.
func (w *world) settled() error {
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	_, err := w.events.fleet.Wait(ctx, w.version)
	return err
}

// Versions that concern some, all or none come one after the other or at once.
// A wait for one must not hang, and must not be over before all have what
// concerns them.
func TestAVersionIsWaitedForAsLongAsItTakesWhoeverRests(t *testing.T) {
	const teams, each = 3, 4
	w := newWorld(t, xds.Config{}, many(5, cluster)...)
	for i := range teams {
		w.put("", team(i))
	}
	w.commit()
	for i := range teams {
		w.join(each, 1, inTeam(i))
	}
	values := 0
	heard := int64(teams * each)
	rapid.Check(t, func(t *rapid.T) {
		burst := rapid.IntRange(1, 3).Draw(t, "versions at once")
		most := int64(0)
		for range burst {
			values++
			switch to := rapid.IntRange(-2, teams-1).Draw(t, "team"); to {
			case -2: // nobody
				w.put("nobody", cluster(0, values))
			case -1:
				w.put(deltaplane.DefaultNamespace, cluster(teams, values))
				most += teams * each
			default:
				w.put(fmt.Sprint("team-", to), cluster(to, values))
				most += each
			}
			w.commit()
		}
		if err := w.settled(); err != nil {
			t.Fatal(err)
		}
		got := w.heard.responses.Load() - heard
		if got > most || burst == 1 && got != most || got == 0 && most > 0 {
			t.Fatalf("%d responses have been heard when a wait for the last of %d versions is over, want %d", got, burst, most)
		}
		heard += got
		if s := w.events.fleet.Summary(); s.InSync != teams*each {
			t.Fatalf("then: %+v", s)
		}
	})
}

func TestWhoRestsIsInSyncWithVersionsThatComeLater(t *testing.T) {
	w := newWorld(t, xds.Config{}, many(5, cluster)...)
	w.awaitKind(rested, 2, func() { w.connect(2, wildcards(resource.Cluster)) })
	for range 3 {
		w.put("nobody", cluster(1, int(w.version)))
		w.commit()
		if err := w.settled(); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range w.events.fleet.Nodes() {
		if n.State != fleet.InSync || n.Version != w.version || n.Behind != 0 {
			t.Errorf("%+v, want in sync with version %d", n, w.version)
		}
	}
}
