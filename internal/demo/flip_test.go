package demo

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/deltaplane/deltaplane/internal/gateway"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFlipsVisitEveryRouteAndThenGoBack(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {1, 10}, {7, 3}, {1000, 10}} {
		g := gateway.Gateway{Hosts: size[0], Routes: size[1], Clusters: []gateway.Cluster{{Name: "blue"}, {Name: "green"}}}
		now := map[[2]int]string{}
		f := flipper{gateway: g}
		for round, want := range []string{"green", "blue"} {
			for range g.Hosts * g.Routes {
				next := f.next()
				route := [2]int{next.host, next.route}
				if next.to == now[route] {
					t.Fatalf("%v: route %v is flipped to %s, where it is", size, route, next.to)
				}
				now[route] = next.to
			}
			if len(now) != g.Hosts*g.Routes {
				t.Fatalf("%v: round %d visited %d routes", size, round, len(now))
			}
			for route, to := range now {
				if to != want {
					t.Fatalf("%v: after round %d route %v is on %s, want %s", size, round, route, to, want)
				}
			}
		}
	}
}

func TestThousandsHaveSeparators(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) is %q, want %q", n, got, want)
		}
	}
}
