package fleet_test

import (
	"fmt"
	"testing"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/fleet"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/xds"
)

// crowd is a fleet of n nodes, and their streams.
func crowd(n int) (*scene, []uint64) {
	s := newScene(fleet.Config{})
	ids := make([]uint64, n)
	for i := range ids {
		ids[i] = s.open(fmt.Sprint("node-", i), resource.Cluster, resource.Listener)
	}
	return s, ids
}

func TestAnEventAllocatesNothingHoweverManyProxiesThereAre(t *testing.T) {
	for _, n := range []int{1, 10_000} {
		s, ids := crowd(n)
		v := deltaplane.Version(0)
		allocs := testing.AllocsPerRun(100, func() {
			v++
			for _, k := range []xds.Kind{xds.Sent, xds.Acked, xds.Current} {
				s.does(ids[n/2], k, resource.Cluster, v)
			}
		})
		if allocs != 0 {
			t.Errorf("among %d proxies three events allocate %v times", n, allocs)
		}
	}
}

func BenchmarkObserve(b *testing.B) {
	for _, n := range []int{10, 1_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s, ids := crowd(n)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				i++
				s.does(ids[i%n], xds.Current, resource.Cluster, deltaplane.Version(i))
			}
		})
	}
}

func BenchmarkSummary(b *testing.B) {
	s, _ := crowd(10_000)
	for b.Loop() {
		s.Summary()
	}
}
