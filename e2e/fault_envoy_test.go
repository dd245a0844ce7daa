package e2e

import (
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane/internal/envoy"
	"github.com/deltaplane/deltaplane/internal/envoytest"
	"github.com/deltaplane/deltaplane/internal/faulttest"
)

// The line between Envoy and the control plane is reset again and again in the
// middle of what it carries, in both directions.
func TestConnectionsThatBreakInTheMiddleOfAFrameLoseNothing(t *testing.T) {
	random := seeded(t)
	plane := envoytest.StartPlane(t, "--history-commits", "100000")
	line := faulttest.NewProxy(t, plane.XDS)
	s := newSceneOn(t, random, plane, line.Addr())
	for i := range tornCommits {
		if i%10 == 0 { // some get nothing through but small responses
			line.Tear(rand.New(rand.NewPCG(random.Uint64(), 0)), 500<<random.IntN(8))
		}
		if i%5 == 0 {
			s.commit(s.large())
		} else {
			s.commit(s.change())
		}
		<-s.awhile(20 * time.Millisecond)
		if i%10 == 9 {
			line.Mend()
			s.settle()
		}
	}
	line.Mend()
	s.end()
	t.Logf("%d connections were torn", line.Tears())
	if line.Tears() < tornCommits/20 {
		t.Error("too few; the test shows nothing")
	}
}

// An Envoy is killed at random moments of commits, most of them between the
// phases of one. Another one, under traffic, must not notice; the one that
// comes back must get all of the newest configuration.
func TestAnEnvoyThatCrashesInTheMiddleOfAPhaseComesBackToTheNewestVersion(t *testing.T) {
	s := newScene(t, seeded(t))
	const name = "crasher"
	start := func() *envoytest.Envoy {
		return envoytest.Start(t, envoy.Bootstrap{XDS: s.plane.XDS, Mode: envoy.DeltaADS, NodeID: name, Cluster: "e2e"})
	}
	for range envoyCrashes {
		crasher := start()
		for range 1 + s.random.IntN(3) {
			s.commit(s.large())
		}
		<-s.awhile(40 * time.Millisecond)
		if err := syscall.Kill(crasher.Pid(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		<-crasher.Done()
		s.commit(s.change())
		back := start()
		s.plane.WaitInSync(name, s.version)
		answer(t, back, "web", root, s.target())
		back.WaitStat("cluster_manager.warming_clusters", func(n uint64) bool { return n == 0 })
		// The control plane's own, and one for each cluster document.
		want := uint64(1 + strings.Count(all(s.holds), "config.cluster.v3.Cluster"))
		back.WaitStat("cluster_manager.active_clusters", func(n uint64) bool { return n == want })
		if err := back.Stop(); err != nil {
			t.Error(err)
		}
	}
	s.end()
}
