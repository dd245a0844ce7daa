package e2e

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/api"
	"github.com/deltaplane/deltaplane/internal/envoy"
	"github.com/deltaplane/deltaplane/internal/envoytest"
	"github.com/deltaplane/deltaplane/internal/traffic"
)

// A scene is a control plane with an Envoy under traffic, and what the store
// must hold. No request may fail, whatever breaks.
type scene struct {
	t      *testing.T
	random *rand.Rand
	plane  *envoytest.Plane
	envoy  *envoytest.Envoy
	load   *traffic.Generator
	ports  [2]int // of the backends blue and green

	made    int               // commits that were tried
	holds   map[string]string // the documents of the newest commit that is known to be stored
	version deltaplane.Version
	acked   map[deltaplane.Version]string // the messages of all acknowledged commits
}

// newScene starts one whose first configuration has arrived.
func newScene(t *testing.T, random *rand.Rand, args ...string) *scene {
	t.Helper()
	plane := envoytest.StartPlane(t, append([]string{"--history-commits", "100000"}, args...)...)
	return newSceneOn(t, random, plane, plane.XDS)
}

// newSceneOn is newScene with a control plane that Envoy reaches at an address.
func newSceneOn(t *testing.T, random *rand.Rand, plane *envoytest.Plane, xds string) *scene {
	t.Helper()
	s := &scene{t: t, random: random, plane: plane, acked: map[deltaplane.Version]string{}}
	s.ports = [2]int{envoytest.Backend(t, "blue").Port(), envoytest.Backend(t, "green").Port()}
	s.holds = map[string]string{
		"listener": documents(envoy.DeltaADS, listener("web", rds("table"), "")),
		"table":    table("table", to("one")),
		"one":      documents(envoy.DeltaADS, cluster("one")),
		"two":      documents(envoy.DeltaADS, cluster("two")),
		"to one":   endpoints("one", s.ports[0]),
		"to two":   endpoints("two", s.ports[1]),
	}
	s.commit(s.holds)
	s.envoy = envoytest.Start(t, envoy.Bootstrap{XDS: xds, Mode: envoy.DeltaADS, NodeID: node, Cluster: "e2e"})
	answer(t, s.envoy, "web", root, "blue") // a listener that is bound need not listen yet
	s.load = envoytest.Traffic(t, s.envoy.WaitListener("web"), faultRate, func(uint64) traffic.Request { return root })
	s.settle()
	return s
}

// change is a commit to come: what the store holds after it. It changes a
// cluster that carries its number, and something that traffic depends on.
func (s *scene) change() map[string]string {
	s.made++
	next := maps.Clone(s.holds)
	next["number"] = documents(envoy.DeltaADS, cluster("number")) + fmt.Sprintf("per_connection_buffer_limit_bytes: %d\n", 1<<20+s.made)
	next["to number"] = endpoints("number", s.ports[0])
	switch s.random.IntN(4) {
	case 0:
		next["table"] = table("table", to([]string{"one", "two"}[s.random.IntN(2)]))
	case 1:
		next["to one"] = endpoints("one", s.ports[s.random.IntN(2)])
	case 2:
		next["to two"] = endpoints("two", s.ports[s.random.IntN(2)])
	case 3:
		next["two"] = documents(envoy.DeltaADS, cluster("two")) + fmt.Sprintf("per_connection_buffer_limit_bytes: %d\n", 1<<16+s.made)
	}
	return next
}

func message(documents map[string]string) string { return "of " + documents["number"] }

// try commits documents. An error may mean that it was stored all the same.
func (s *scene) try(documents map[string]string) error {
	plan, err := s.plane.Post("/v1/apply", url.Values{"message": {message(documents)}}, all(documents))
	if err == nil {
		s.stored(plan.Version, documents)
	}
	return err
}

// commit is try, which must succeed.
func (s *scene) commit(documents map[string]string) {
	s.t.Helper()
	if err := s.try(documents); err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) stored(v deltaplane.Version, documents map[string]string) {
	s.version, s.holds = v, documents
	s.acked[v] = message(documents)
}

// all joins documents in an order that is always the same.
func all(documents map[string]string) string {
	text := ""
	for _, name := range slices.Sorted(maps.Keys(documents)) {
		text += documents[name] + "---\n"
	}
	return text
}

// is reports what is wrong when the store holds anything but the documents.
func (s *scene) is(documents map[string]string) error {
	plan, err := s.plane.Post("/v1/apply", url.Values{"dry_run": {"true"}, "prune": {"true"}, "allow_shrink": {"true"}}, all(documents))
	if err != nil {
		return err
	}
	if c := plan.Counts; c.Added+c.Changed+c.Removed > 0 {
		return fmt.Errorf("version %d differs: %+v", plan.Base, plan.Steps)
	}
	return nil
}

// recovered checks, after a fault, that the store holds every acknowledged
// commit, and of the pending one, whose outcome was not told, all or nothing.
func (s *scene) recovered(pending map[string]string) {
	s.t.Helper()
	newest := s.history(1)[0]
	switch newest.Version {
	case s.version:
		if err := s.is(s.holds); err != nil {
			s.t.Fatalf("after version %d was acknowledged: %v", s.version, err)
		}
	case s.version + 1:
		if pending == nil {
			s.t.Fatalf("version %d is %q, which nobody made", newest.Version, newest.Message)
		}
		if err := s.is(pending); err != nil || newest.Message != message(pending) {
			s.t.Fatalf("version %d is only half of the pending commit: %v", newest.Version, err)
		}
		s.stored(newest.Version, pending)
	default:
		s.t.Fatalf("the newest version is %d; acknowledged was %d", newest.Version, s.version)
	}
}

// history is the newest commits.
func (s *scene) history(limit int) []api.Commit {
	s.t.Helper()
	page, err := s.plane.History(envoytest.Context(s.t), limit)
	if err != nil {
		s.t.Fatal(err)
	}
	return page.Versions
}

// settle waits until Envoy and its traffic are where the newest commit says.
func (s *scene) settle() {
	s.t.Helper()
	s.plane.WaitInSync(node, s.version)
	answer(s.t, s.envoy, "web", root, s.target())
}

// target is the backend that the newest commit leads traffic to.
func (s *scene) target() string {
	cluster := "one"
	if s.holds["table"] == table("table", to("two")) {
		cluster = "two"
	}
	if s.holds["to "+cluster] == endpoints(cluster, s.ports[0]) {
		return "blue"
	}
	return "green"
}

// end checks the final state: the store's, its history's, Envoy's.
func (s *scene) end() {
	s.t.Helper()
	s.settle()
	if err := s.is(s.holds); err != nil {
		s.t.Error(err)
	}
	kept, oldest := map[deltaplane.Version]string{}, s.version
	for _, c := range s.history(1000) {
		kept[c.Version], oldest = c.Message, c.Version
	}
	for v, text := range s.acked {
		if v >= oldest && kept[v] != text {
			s.t.Errorf("version %d was acknowledged as %q; history has %q", v, text, kept[v])
		}
	}
	e := s.envoy
	e.WaitStat("cluster_manager.warming_clusters", func(n uint64) bool { return n == 0 })
	nothingRefused(s.t, s.plane, e)
	r := s.load.Stop()
	s.t.Logf("%d commits acknowledged, %d tried; %d requests, %d failed", len(s.acked), s.made+1, r.Requests, r.Failures)
}

// awhile is a random time up to d.
func (s *scene) awhile(d time.Duration) <-chan time.Time {
	return time.After(time.Duration(s.random.Int64N(int64(d))))
}
