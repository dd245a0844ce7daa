package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane/internal/envoy"
	"github.com/deltaplane/deltaplane/internal/envoytest"
	"github.com/deltaplane/deltaplane/internal/traffic"
)

// What TestTTLs gives resources, and for how many requests it looks on, at
// ttlRate per second: for more than two TTLs.
const (
	ttl         = "3s"
	ttlRate     = 200
	ttlRequests = 1300
)

// lasting wraps a document with a TTL.
func lasting(document string) string {
	return "ttl: " + ttl + "\nresource:\n  " + strings.ReplaceAll(strings.TrimSpace(document), "\n", "\n  ") + "\n"
}

// TestTTLs gives everything that an Envoy needs a TTL. While the control
// plane lives nothing expires; once it is dead, clusters and listeners do.
func TestTTLs(t *testing.T) {
	for _, mode := range []envoy.Mode{envoy.DeltaADS, envoy.SotwADS} {
		t.Run(mode.String(), func(t *testing.T) {
			t.Parallel()
			plane, e := start(t, mode)
			blue := envoytest.Backend(t, "blue")
			plane.Apply(documents(mode, lasting(cluster("a")), lasting(endpoints("a", blue.Port())),
				lasting(table("main", to("a"))), lasting(listener("web", rds("main"), ""))))
			answer(t, e, "web", root, "blue") // admin shows a listener before it accepts
			load := envoytest.Traffic(t, e.WaitListener("web"), ttlRate, func(uint64) traffic.Request { return root })
			envoytest.Eventually(t, "traffic for a few TTLs", func(context.Context) error {
				if r := load.Report(); r.Requests < ttlRequests {
					return fmt.Errorf("%d requests, %d failures", r.Requests, r.Failures)
				}
				return nil
			})
			load.Stop()
			nothingRefused(t, plane, e)
			// Whatever Envoy had to do, it has not made a cluster anew.
			if n := e.Stat("cluster_manager.cluster_removed"); n != 0 {
				t.Errorf("%d clusters were removed", n)
			}

			plane.Kill()
			waitClusters(t, e)
			envoytest.Eventually(t, "the listener to expire", func(ctx context.Context) error {
				listeners, err := e.Listeners(ctx)
				if err == nil && len(listeners) > 0 {
					err = fmt.Errorf("there are %v", listeners)
				}
				return err
			})

			plane.Start()
			answer(t, e, "web", root, "blue")
		})
	}
}
