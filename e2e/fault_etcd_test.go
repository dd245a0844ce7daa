package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane/internal/envoy"
	"github.com/deltaplane/deltaplane/internal/envoytest"
	"github.com/deltaplane/deltaplane/internal/faulttest"
)

// An outage is a way to lose etcd, and to have it back.
type outage struct {
	name     string
	from, to func(*faulttest.Etcd)
}

var outages = []outage{
	{"killed", (*faulttest.Etcd).Kill, (*faulttest.Etcd).Start},
	{"paused", (*faulttest.Etcd).Pause, (*faulttest.Etcd).Resume},
	{"cut off", func(e *faulttest.Etcd) { e.Line.Cut() }, func(e *faulttest.Etcd) { e.Line.Mend() }},
	{"partitioned", func(e *faulttest.Etcd) { e.Line.Hold() }, func(e *faulttest.Etcd) { e.Line.Mend() }},
	{"compacted while away", func(e *faulttest.Etcd) { e.Line.Cut() }, func(e *faulttest.Etcd) { e.Compact(); e.Line.Mend() }},
}

// A short outage is ridden out: the commit that comes in it succeeds.
func TestACommitWaitsForAnEtcdThatIsSoonBack(t *testing.T) {
	e := faulttest.StartEtcd(t, "")
	s := newScene(t, seeded(t), "--etcd-endpoints", e.Endpoint())
	for range outageRounds {
		for _, o := range outages {
			t.Log(o.name)
			done := make(chan error, 1)
			o.from(e)
			next := s.change()
			go func() { done <- s.try(next) }()
			<-s.awhile(time.Second)
			o.to(e)
			if err := <-done; err != nil {
				t.Fatalf("%s: %v", o.name, err)
			}
			s.recovered(nil)
			s.settle()
		}
	}
	s.end()
}

// A long outage is told: the commit fails with what to do, health and metrics
// turn, traffic and what is served stay, and nothing that was said turns out
// to be wrong.
func TestAnEtcdThatStaysAwayIsTold(t *testing.T) {
	for _, o := range longOutages(outages) {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel() // they wait, most of the time
			e := faulttest.StartEtcd(t, "")
			s := newScene(t, seeded(t), "--etcd-endpoints", e.Endpoint())
			s.commit(s.change())
			s.settle()
			o.from(e)
			pending := s.change()
			err := s.try(pending)
			if err == nil || !strings.Contains(err.Error(), "503") || !strings.Contains(err.Error(), `"code":"unavailable"`) {
				t.Fatalf("a commit without etcd: %v", err)
			}
			certain := strings.Contains(err.Error(), "nothing was committed")
			if !certain && !strings.Contains(err.Error(), "history") {
				t.Errorf("a commit whose outcome is unknown does not say where to look: %v", err)
			}
			s.away()
			o.to(e)
			s.back()
			if certain {
				pending = nil
			}
			s.recovered(pending)
			s.commit(s.change())
			s.end()
		})
	}
}

// away waits until the control plane says that etcd is away. It serves on.
func (s *scene) away() {
	s.t.Helper()
	envoytest.Eventually(s.t, "etcd to be away", func(ctx context.Context) error {
		ready, store, err := s.plane.Readiness(ctx)
		if err == nil && (!ready || store.Connected || store.Detail == "" || store.Version != s.version) {
			err = fmt.Errorf("ready %v, store %+v", ready, store)
		}
		if err == nil {
			err = s.metricIs(ctx, "deltaplane_etcd_connected", 0)
		}
		return err
	})
	s.settle()
}

func (s *scene) back() {
	s.t.Helper()
	envoytest.Eventually(s.t, "etcd to be back", func(ctx context.Context) error {
		ready, store, err := s.plane.Readiness(ctx)
		if err == nil && (!ready || !store.Connected || store.FromDisk) {
			err = fmt.Errorf("ready %v, store %+v", ready, store)
		}
		if err == nil {
			err = s.metricIs(ctx, "deltaplane_etcd_connected", 1)
		}
		return err
	})
}

func (s *scene) metricIs(ctx context.Context, name string, want float64) error {
	got, err := s.plane.Metric(ctx, name)
	if err == nil && got != want {
		err = fmt.Errorf("%s is %g, want %g", name, got, want)
	}
	return err
}

func TestASlowEtcdOnlyTakesLonger(t *testing.T) {
	e := faulttest.StartEtcd(t, "")
	s := newScene(t, seeded(t), "--etcd-endpoints", e.Endpoint())
	e.Line.Slow(100 * time.Millisecond)
	for range 5 {
		s.commit(s.change())
		s.settle()
	}
	e.Line.Mend()
	s.end()
}

// A disk that is slow stops etcd for some time again and again.
func TestAnEtcdWithASlowDiskOnlyTakesLonger(t *testing.T) {
	e := faulttest.StartEtcd(t, "")
	s := newScene(t, seeded(t), "--etcd-endpoints", e.Endpoint())
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for running := true; running; {
			e.Pause()
			<-time.After(300 * time.Millisecond)
			e.Resume()
			select {
			case <-time.After(50 * time.Millisecond):
			case <-stop:
				running = false
			}
		}
	}()
	for range 8 {
		s.commit(s.change())
	}
	close(stop)
	<-stopped
	s.end()
}

func TestAReplicaThatStartsWithoutEtcdServesItsDiskSnapshot(t *testing.T) {
	e := faulttest.StartEtcd(t, "")
	s := newScene(t, seeded(t), "--etcd-endpoints", e.Endpoint())
	s.commit(s.change())
	s.settle()
	s.kept()
	before := updates(s.envoy)
	e.Kill()
	s.plane.Kill()
	s.plane.Start()
	s.away()
	if _, store, err := s.plane.Readiness(envoytest.Context(t)); err != nil || !store.FromDisk {
		t.Errorf("store is %+v, %v", store, err)
	}
	if err := s.metricIs(t.Context(), "deltaplane_store_from_disk", 1); err != nil {
		t.Error(err)
	}
	s.nothingSent(before)
	// An Envoy that starts now gets its configuration, too.
	another := envoytest.Start(t, envoy.Bootstrap{XDS: s.plane.XDS, Mode: envoy.DeltaADS, NodeID: "another", Cluster: "e2e"})
	another.WaitListener("web")
	if err := another.Stop(); err != nil {
		t.Error(err)
	}
	e.Start()
	s.back()
	if err := s.metricIs(t.Context(), "deltaplane_store_from_disk", 0); err != nil {
		t.Error(err)
	}
	s.commit(s.change())
	s.end()
}

// kept waits until the snapshot on disk is that of the newest version.
func (s *scene) kept() {
	s.t.Helper()
	envoytest.Eventually(s.t, "the snapshot on disk", func(ctx context.Context) error {
		return s.metricIs(ctx, "deltaplane_disk_snapshot_version", float64(s.version))
	})
}
