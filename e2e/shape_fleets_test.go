package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/internal/envoy"
	"github.com/deltaplane/deltaplane/internal/envoytest"
	"github.com/deltaplane/deltaplane/internal/traffic"
	"github.com/deltaplane/deltaplane/shape"
)

// shapeFleet is a fleet of one Envoy, with a listener of its own in a namespace
// of the fleet's name, which routes by the table that all fleets share.
type shapeFleet struct {
	name  string
	shape string // as YAML; "": it says nothing
	gone  bool   // its Envoy is one of the fleet for everybody
	envoy *envoytest.Envoy
}

// shapeFleets are two of them, and one that has the Envoys of fleets that are
// gone.
type shapeFleets struct {
	t         *testing.T
	plane     *envoytest.Plane
	fleets    []*shapeFleet
	everybody string // its shape
}

func startShapeFleets(t *testing.T, mode envoy.Mode, table string, shapes ...string) *shapeFleets {
	t.Helper()
	s := &shapeFleets{t: t, plane: envoytest.StartPlane(t, "--leaf-drain", "10s"), everybody: "auto"} // Envoy's connections drain for 1 s
	address, ports := places(t)
	for i, name := range []string{"one", "two"} {
		s.fleets = append(s.fleets, &shapeFleet{name: name, shape: shapes[i]})
		for listenerName, port := range ports {
			delete(ports, listenerName)
			gateway := strings.Replace(documents(mode, listener("gateway", rds("table"), "")), "address: 127.0.0.1, port_value: 0",
				fmt.Sprintf("address: %s, port_value: %d", address, port), 1)
			if _, err := s.plane.Post("/v1/apply", url.Values{"namespace": {name}}, gateway); err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	plan := s.commit(table)
	for _, f := range s.fleets {
		f.envoy = envoytest.Start(t, envoy.Bootstrap{XDS: s.plane.XDS, Mode: mode, NodeID: f.name, Cluster: "e2e"})
		f.envoy.WaitReady()
	}
	s.inSync(plan)
	return s
}

// commit makes the table and the fleets what they are.
func (s *shapeFleets) commit(table string) deltaplane.Version {
	s.t.Helper()
	var b strings.Builder
	for _, f := range s.fleets {
		if f.gone {
			continue
		}
		fmt.Fprintf(&b, "---\n\"@type\": type.googleapis.com/deltaplane.v1.Fleet\nname: %s\npriority: 1\nselectors: [{node_ids: [%[1]s]}]\nnamespaces: [default, %[1]s]\n", f.name)
		if f.shape != "" {
			fmt.Fprintf(&b, "shape: %s\n", f.shape)
		}
	}
	fmt.Fprintf(&b, "---\n\"@type\": type.googleapis.com/deltaplane.v1.Fleet\nname: rest\nselectors: [{}]\nnamespaces: [default, two]\nshape: %s\n", s.everybody)
	return s.plane.Prune(table + b.String()).Version
}

func (s *shapeFleets) inSync(v deltaplane.Version) {
	s.t.Helper()
	for _, f := range s.fleets {
		s.plane.WaitInSync(f.name, v)
	}
}

// leaves are how many of the table's an Envoy has: as many as it has scopes.
func (f *shapeFleet) leaves() int {
	f.envoy.WaitStat("http.gateway.scoped_rds.deltaplane.active_scopes", func(scopes uint64) bool { return int(scopes) == f.tables() })
	return f.tables()
}

// tables are its route configurations that are leaves.
func (f *shapeFleet) tables() int {
	leaves := map[string]bool{}
	for name := range f.envoy.StatsMatching("rds\\." + shape.Prefix) {
		leaves[name[:strings.LastIndexByte(name, '.')]] = true
	}
	return len(leaves)
}

// TestFleetsWithOneTableHaveEachItsOwnSplitOfIt has two Envoys with as many
// leaves as their fleets ask for, and changes what one of these asks for.
func TestFleetsWithOneTableHaveEachItsOwnSplitOfIt(t *testing.T) {
	w := newShapeWorld(rand.New(rand.NewPCG(1, 1)))
	s := startShapeFleets(t, envoy.DeltaADS, w.documents(), "{shards: 8, by: host}", "{shards: 64, by: host}")
	one, two := s.fleets[0], s.fleets[1]
	few, many := s.explain("one"), s.explain("two")
	if few.Parts >= many.Parts/2 || few.Parts < 2 {
		t.Fatalf("fleet one has %d parts, two has %d", few.Parts, many.Parts)
	}
	for _, f := range s.fleets {
		address := f.envoy.WaitListener("gateway")
		client := traffic.NewClient(address, 1, nil)
		t.Cleanup(client.Close)
		for n := range uint64(200) {
			r := w.request(n)
			if answer, err := client.Do(t.Context(), r); err != nil || w.judge(r, time.Now(), answer) != nil {
				t.Fatalf("fleet %s: %v is answered %+v, error %v", f.name, r, answer, err)
			}
		}
	}
	if a, b := one.leaves(), two.leaves(); a != few.Parts || b != many.Parts {
		t.Errorf("the Envoys have %d and %d leaves, want %d and %d", a, b, few.Parts, many.Parts)
	}

	turns := two.envoy.Stat("listener_manager.listener_modified")
	one.shape = "{shards: 16, by: host}"
	s.inSync(s.commit(w.documents()))
	again := s.explain("one")
	if again.Parts <= few.Parts || again.Retired != few.Parts {
		t.Fatalf("with twice the shards fleet one has %d parts, and %d that drain; it had %d", again.Parts, again.Retired, few.Parts)
	}
	if n := one.leaves(); n != again.Parts+again.Retired {
		t.Errorf("its Envoy has %d leaves, want %d and %d that drain", n, again.Parts, again.Retired)
	}
	if n := two.leaves(); n != many.Parts || two.envoy.Stat("listener_manager.listener_modified") != turns {
		t.Errorf("the other fleet's Envoy has %d leaves, had %d, or a new listener", n, many.Parts)
	}
}

func (s *shapeFleets) explain(fleet string) deltaplane.FleetShape {
	s.t.Helper()
	t, err := s.plane.Shape(envoytest.Context(s.t), "table", fleet)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range t.Fleets {
		if f.Fleet == fleet {
			return f
		}
	}
	s.t.Fatalf("fleet %s is not among %+v", fleet, t.Fleets)
	return deltaplane.FleetShape{}
}

// TestNoRequestIsLostOrMisroutedWhileFleetsChangeTheirSplits edits a table that
// two fleets share, and what they say of it: fleets want it otherwise, come and
// go, most of it faster than their Envoys acknowledge.
func TestNoRequestIsLostOrMisroutedWhileFleetsChangeTheirSplits(t *testing.T) {
	for _, mode := range fleetModes {
		t.Run(mode.String(), func(t *testing.T) {
			w := newShapeWorld(seeded(t))
			s := startShapeFleets(t, mode, w.documents(), "auto", "{shards: 64}")
			var loads []*traffic.Generator
			for _, f := range s.fleets {
				client := traffic.NewClient(f.envoy.WaitListener("gateway"), 4, nil)
				load := traffic.Start(t.Context(), traffic.Config{Client: client, Rate: tempestRate / 2, Workers: 4, Next: w.request, Judge: w.judge})
				t.Cleanup(func() { load.Stop(); client.Close() })
				loads = append(loads, load)
			}
			var past []string
			for range fleetCommits {
				what := s.step(w.random)
				if w.random.IntN(2) == 0 {
					what += ", " + w.step()
				}
				past = append(past, what)
				v := s.commit(w.documents())
				switch w.random.IntN(10) {
				case 0:
					s.inSync(v)
					w.settle()
				case 1, 2, 3, 4:
					wait := time.NewTimer(time.Duration(w.random.IntN(50)) * time.Millisecond)
					<-wait.C
				}
				for i, load := range loads {
					if r := load.Report(); r.Failures > 0 {
						t.Fatalf("fleet %s: %d of %d requests failed: %v, first %s; the last commits were %q", s.fleets[i].name, r.Failures, r.Requests, r.Reasons, r.First, past[max(0, len(past)-8):])
					}
				}
			}
			s.fleets[1].gone = false
			for _, said := range []string{"{shards: 8, by: host}", "{shards: 32, by: host}", "{shards: 4, by: host}"} {
				s.fleets[0].shape, s.fleets[1].shape = said, said
				w.restore()
				s.inSync(s.commit(w.documents()))
			}
			for i, load := range loads {
				f, r := s.fleets[i], load.Stop()
				turns := f.envoy.Stat("listener_manager.listener_modified") // by these at least
				t.Logf("fleet %s: %d commits, %d requests answered; the listener changed %d times", f.name, fleetCommits, r.Requests, turns)
				if r.Failures > 0 || turns < 2 {
					t.Errorf("fleet %s: %d of %d requests failed: %v, first %s", f.name, r.Failures, r.Requests, r.Reasons, r.First)
				}
				if n := f.envoy.Stat("listener_manager.lds.update_rejected"); n > 0 {
					t.Errorf("fleet %s: %d listeners were refused", f.name, n)
				}
			}
		})
	}
}

// step changes what one of the fleets says, or whether fleet two is there.
func (s *shapeFleets) step(random *rand.Rand) string {
	shapes := []string{"auto", "off", "{shards: 8, by: host}", "{shards: 64}", "{shards: 16, by: host+path, duplication: 4}", ""}
	said := shapes[random.IntN(len(shapes))]
	switch kind := random.IntN(8); {
	case kind < 3:
		s.fleets[0].shape = said
		return "fleet one: " + said
	case kind < 6:
		s.fleets[1].shape = said
		return "fleet two: " + said
	case kind < 7:
		s.fleets[1].gone = !s.fleets[1].gone
		return fmt.Sprintf("fleet two is gone: %t", s.fleets[1].gone)
	}
	s.everybody = shapes[random.IntN(len(shapes)-1)]
	return "everybody: " + s.everybody
}
