package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane/internal/envoytest"
)

// commitTakes bounds the random moment of a kill after a commit has begun:
// some kills come before anything is stored, some after all is delivered.
const commitTakes = 30 * time.Millisecond

func TestAControlPlaneKilledAnywhereInACommitLosesNothing(t *testing.T) {
	s := newScene(t, seeded(t))
	stored := 0
	for range faultKills {
		pending := s.change()
		done := make(chan error, 1)
		at := s.awhile(commitTakes)
		go func() { done <- s.try(pending) }()
		<-at
		s.plane.Kill()
		if err := <-done; err == nil {
			pending = nil
		}
		s.plane.Start()
		before := s.version
		s.recovered(pending)
		if s.version > before || pending == nil {
			stored++
		}
		s.settle()
		s.nothingTwice()
	}
	t.Logf("%d of %d commits were stored when the kill came", stored, faultKills)
	s.end()
}

// nothingTwice kills the control plane while Envoy has everything: after the
// restart, nothing is sent.
func (s *scene) nothingTwice() {
	s.t.Helper()
	before := updates(s.envoy)
	s.plane.Kill()
	s.plane.Start()
	s.nothingSent(before)
}

// nothingSent waits until Envoy is back after a restart, with nothing sent to
// it. before is what updates was.
func (s *scene) nothingSent(before map[string]uint64) {
	s.t.Helper()
	envoytest.Eventually(s.t, "Envoy to be back", func(ctx context.Context) error {
		proxy, err := s.plane.Status(ctx, node)
		if err == nil && proxy.Responses > 0 {
			s.t.Fatalf("%d responses with %d bytes were sent to an Envoy that had everything", proxy.Responses, proxy.Bytes)
		}
		if err == nil && proxy.State != "in_sync" {
			err = fmt.Errorf("it is %+v", proxy)
		}
		return err
	})
	if after := updates(s.envoy); !equal(before, after) {
		s.t.Fatalf("Envoy's updates went from %v to %v; it had everything", before, after)
	}
}
