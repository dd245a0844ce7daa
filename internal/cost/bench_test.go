package cost

import (
	"fmt"
	"testing"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/xds"
)

// BenchmarkFanOut is one changed cluster, from its publication to the last
// acknowledgement: server and gRPC over TCP, with proxies in the same process
// that allocate nothing.
func BenchmarkFanOut(b *testing.B) {
	for _, size := range []struct{ streams, resources int }{{100, 1000}, {100, 10_000}, {1000, 1000}} {
		b.Run(fmt.Sprintf("%d streams/%d resources", size.streams, size.resources), func(b *testing.B) {
			w := newWorld(b, xds.Config{}, many(size.resources, cluster)...)
			w.join(size.streams, 1, wildcards(resource.Cluster))
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				n++
				w.change(cluster(7, n), size.streams)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*size.streams), "ns/stream")
		})
	}
}
