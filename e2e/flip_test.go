package e2e

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/deltaplane/deltaplane/internal/envoy"
	"github.com/deltaplane/deltaplane/internal/envoytest"
	"github.com/deltaplane/deltaplane/internal/traffic"
)

// How hard the configuration is changed, and under how much traffic.
const (
	flips = 51   // odd: it ends on green
	rate  = 2000 // requests per second
)

// A change says how to bring the configuration to its i-th state. In even
// states traffic goes to blue, in odd ones to green.
type change func(plane *envoytest.Plane, i int)

// underTraffic makes the changes one after the other, each as soon as traffic
// shows the one before. The test fails if any request does.
func underTraffic(t *testing.T, plane *envoytest.Plane, e *envoytest.Envoy, change change) {
	t.Helper()
	change(plane, 0)
	address := e.WaitListener("web")
	// New connections: those from before a listener's change keep its old form
	// until they are drained.
	fresh := traffic.Request{Host: "example.test", Path: "/", Header: http.Header{"Connection": {"close"}}}
	probe := envoytest.Client(t, address, nil)
	arrived := func(i int) {
		t.Helper()
		want := [...]string{"blue", "green"}[i%2]
		if _, err := probe.Until(envoytest.Context(t), fresh, want); err != nil {
			t.Fatalf("change %d: %v", i, err)
		}
	}
	arrived(0)
	load := envoytest.Traffic(t, address, rate, func(uint64) traffic.Request { return root })
	for i := 1; i <= flips; i++ {
		change(plane, i)
		arrived(i)
	}
	// Connections of the old listeners are drained, not cut.
	before := load.Report().Answers["green"]
	envoytest.Eventually(t, "traffic on green", func(context.Context) error {
		if r := load.Report(); r.Answers["green"] <= before {
			return fmt.Errorf("answers are from %v", r.Answers)
		}
		return nil
	})
	report := load.Stop()
	t.Logf("%d requests, %d failures, answers %v", report.Requests, report.Failures, report.Answers)
	if report.Answers["blue"] == 0 {
		t.Errorf("traffic went to %v only", report.Answers)
	}
	nothingRefused(t, plane, e)
}

// onADS runs a test on both kinds of aggregated streams, which are those that
// promise an order between types. The backends are blue and green.
func onADS(t *testing.T, test func(t *testing.T, mode envoy.Mode, plane *envoytest.Plane, e *envoytest.Envoy, ports [2]int)) {
	for _, mode := range []envoy.Mode{envoy.DeltaADS, envoy.SotwADS} {
		t.Run(mode.String(), func(t *testing.T) {
			ports := [2]int{envoytest.Backend(t, "blue").Port(), envoytest.Backend(t, "green").Port()}
			plane, e := start(t, mode)
			test(t, mode, plane, e, ports)
		})
	}
}

func TestNoRequestFailsWhileRoutesFlip(t *testing.T) {
	onADS(t, func(t *testing.T, mode envoy.Mode, plane *envoytest.Plane, e *envoytest.Envoy, ports [2]int) {
		plane.Apply(documents(mode, listener("web", rds("table"), ""), table("table", to("blue")),
			cluster("blue"), endpoints("blue", ports[0]), cluster("green"), endpoints("green", ports[1])))
		underTraffic(t, plane, e, func(plane *envoytest.Plane, i int) {
			plane.Apply(table("table", to([...]string{"blue", "green"}[i%2])))
		})
	})
}

func TestNoRequestFailsWhileEndpointsFlip(t *testing.T) {
	onADS(t, func(t *testing.T, mode envoy.Mode, plane *envoytest.Plane, e *envoytest.Envoy, ports [2]int) {
		plane.Apply(documents(mode, listener("web", rds("table"), ""), table("table", to("one")), cluster("one"), endpoints("one", ports[0])))
		underTraffic(t, plane, e, func(plane *envoytest.Plane, i int) {
			plane.Apply(endpoints("one", ports[i%2]))
		})
	})
}

// One commit adds the new cluster, moves the route, and removes the old
// cluster: Envoy answers 503 unless these reach it in an order that it can
// follow (make before break).
func TestNoRequestFailsWhileClustersAreSwapped(t *testing.T) {
	onADS(t, func(t *testing.T, mode envoy.Mode, plane *envoytest.Plane, e *envoytest.Envoy, ports [2]int) {
		underTraffic(t, plane, e, func(plane *envoytest.Plane, i int) {
			name := fmt.Sprintf("cluster-%d", i)
			plane.Prune(documents(mode, listener("web", rds("table"), ""), table("table", to(name)), cluster(name), endpoints(name, ports[i%2])))
		})
		// The last one and the control plane's own.
		e.WaitStat("cluster_manager.active_clusters", func(n uint64) bool { return n == 2 })
	})
}

// A cluster that is changed keeps its name: Envoy warms the new form beside
// the old one, and does not ask for its endpoints again.
func TestNoRequestFailsWhileAClusterChanges(t *testing.T) {
	onADS(t, func(t *testing.T, mode envoy.Mode, plane *envoytest.Plane, e *envoytest.Envoy, ports [2]int) {
		underTraffic(t, plane, e, func(plane *envoytest.Plane, i int) {
			changed := cluster("one") + fmt.Sprintf("per_connection_buffer_limit_bytes: %d\n", 32768+i)
			plane.Apply(documents(mode, listener("web", rds("table"), ""), table("table", to("one")), changed, endpoints("one", ports[i%2])))
		})
		if n := e.Stat("cluster.one.init_fetch_timeout"); n != 0 {
			t.Errorf("the changed cluster waited for its endpoints until the timeout, %d times", n)
		}
	})
}

func TestNoRequestFailsWhileListenersFlip(t *testing.T) {
	onADS(t, func(t *testing.T, mode envoy.Mode, plane *envoytest.Plane, e *envoytest.Envoy, ports [2]int) {
		tables := [...]string{"to-blue", "to-green"}
		plane.Apply(documents(mode, table("to-blue", to("blue")), table("to-green", to("green")),
			cluster("blue"), endpoints("blue", ports[0]), cluster("green"), endpoints("green", ports[1])))
		underTraffic(t, plane, e, func(plane *envoytest.Plane, i int) {
			plane.Apply(documents(mode, listener("web", rds(tables[i%2]), "")))
		})
	})
}
