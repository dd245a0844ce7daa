package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane/internal/envoy"
	"github.com/deltaplane/deltaplane/internal/envoytest"
	"github.com/deltaplane/deltaplane/internal/traffic"
	"github.com/deltaplane/deltaplane/shape"
)

// TestNoRequestIsLostOrMisroutedWhileATableIsSplit edits a large table at
// random, so that it is split, split again, and whole again, most of it faster
// than Envoy acknowledges. Each answer must be one that the table gives.
func TestNoRequestIsLostOrMisroutedWhileATableIsSplit(t *testing.T) {
	for _, mode := range []envoy.Mode{envoy.DeltaADS, envoy.SotwADS} {
		t.Run(mode.String(), func(t *testing.T) {
			w := newShapeWorld(seeded(t))
			plane := envoytest.StartPlane(t, "--leaf-drain", "10s") // Envoy's connections drain for 1 s
			address, ports := places(t)
			gateway := strings.Replace(documents(mode, listener("gateway", rds("table"), "")), "address: 127.0.0.1, port_value: 0",
				fmt.Sprintf("address: %s, port_value: %d", address, firstOf(ports)), 1)
			plan := plane.Prune(gateway + "---\n" + w.documents())
			e := startEnvoy(t, plane, mode)
			e.WaitReady()
			client := traffic.NewClient(e.WaitListener("gateway"), 8, nil)
			t.Cleanup(client.Close)
			plane.WaitInSync(node, plan.Version)
			load := traffic.Start(t.Context(), traffic.Config{Client: client, Rate: tempestRate, Workers: 8, Next: w.request, Judge: w.judge})
			t.Cleanup(func() { load.Stop() })
			var past []string
			for range shapeCommits {
				past = append(past, w.step())
				plan = plane.Prune(gateway + "---\n" + w.documents())
				switch w.random.IntN(10) {
				case 0:
					plane.WaitInSync(node, plan.Version)
					w.settle()
				case 1, 2, 3:
					wait := time.NewTimer(time.Duration(w.random.IntN(20)) * time.Millisecond)
					<-wait.C
				}
				if r := load.Report(); r.Failures > 0 {
					t.Fatalf("%d of %d requests failed: %v, first %s; the last commits were %q", r.Failures, r.Requests, r.Reasons, r.First, past[max(0, len(past)-8):])
				}
			}
			w.restore()
			plan = plane.Prune(gateway + "---\n" + w.documents())
			plane.WaitInSync(node, plan.Version)
			r := load.Stop()
			if r.Failures > 0 {
				t.Fatalf("%d of %d requests failed: %v, first %s", r.Failures, r.Requests, r.Reasons, r.First)
			}
			turns := e.Stat("listener_manager.listener_modified")
			t.Logf("%d commits, %d requests answered; the listener changed %d times", shapeCommits, r.Requests, turns)
			if turns < 5 {
				t.Errorf("the listener changed %d times: the table was hardly split again", turns)
			}
			nothingRefused(t, plane, e)
			envoytest.Eventually(t, "leaves in Envoy", func(context.Context) error {
				if len(e.StatsMatching("rds\\."+shape.Prefix)) > 0 {
					return nil
				}
				// Those of too many splits may not have expired yet.
				w.restore()
				plane.Prune(gateway + "---\n" + w.documents())
				return errors.New("there are none")
			})
		})
	}
}

func firstOf(ports map[string]int) int {
	for _, port := range ports {
		return port
	}
	return 0
}
