package e2e

import (
	"testing"

	"github.com/deltaplane/deltaplane/internal/envoy"
	"github.com/deltaplane/deltaplane/internal/envoytest"
	"github.com/deltaplane/deltaplane/internal/traffic"
)

// updates counts the configuration updates that Envoy has taken, by type.
func updates(e *envoytest.Envoy) map[string]uint64 {
	return e.StatsMatching(`^(cluster_manager\.cds|listener_manager\.lds|http\.web\.rds\.table|cluster\.one)\.update_success$`)
}

// A crash of the control plane is nothing that traffic sees, and on the way
// back a delta client says what it holds, so that nothing is sent twice.
func TestAKilledControlPlaneComesBackUnnoticed(t *testing.T) {
	for _, mode := range envoy.Modes() {
		t.Run(mode.String(), func(t *testing.T) {
			blue, green := envoytest.Backend(t, "blue"), envoytest.Backend(t, "green")
			plane, e := start(t, mode)
			plane.Apply(documents(mode, listener("web", rds("table"), ""), table("table", to("one")), cluster("one"), endpoints("one", blue.Port())))
			answer(t, e, "web", root, "blue")
			plane.WaitInSync(node, 1)
			load := envoytest.Traffic(t, e.WaitListener("web"), 500, func(uint64) traffic.Request { return root })
			before := updates(e)
			if len(before) != 4 {
				t.Fatalf("Envoy counts %v, want four types", before)
			}

			plane.Kill()
			seen := blue.Hits()
			e.WaitStat("http.web.downstream_rq_2xx", func(uint64) bool { return blue.Hits() > seen+200 })
			plane.Start()
			plane.WaitInSync(node, 1)

			if mode.Delta {
				proxy, err := plane.Status(envoytest.Context(t), node)
				if err != nil {
					t.Fatal(err)
				}
				if proxy.Responses != 0 {
					t.Errorf("%d responses with %d bytes were sent to an Envoy that had everything", proxy.Responses, proxy.Bytes)
				}
				if after := updates(e); !equal(before, after) {
					t.Errorf("Envoy's updates went from %v to %v; it had everything", before, after)
				}
			}
			// And it goes on.
			plane.Apply(endpoints("one", green.Port()))
			answer(t, e, "web", root, "green")
			if mode.Delta {
				after := updates(e)
				before["cluster.one.update_success"]++
				if !equal(before, after) {
					t.Errorf("after one changed endpoint Envoy's updates are %v, want %v", after, before)
				}
			}
			if r := load.Stop(); r.Failures > 0 {
				t.Errorf("%d requests failed: %v", r.Failures, r.Reasons)
			}
		})
	}
}

func equal(a, b map[string]uint64) bool {
	for name, n := range a {
		if b[name] != n {
			return false
		}
	}
	return len(a) == len(b)
}
