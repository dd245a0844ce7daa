package cost

import (
	"runtime"
	"slices"
	"testing"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/xds"
)

// allocated is how many bytes the process allocates while it does something.
func allocated(do func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// perChange is how many bytes one changed cluster allocates with so many
// streams and resources, from the change itself to the last acknowledgement:
// in the server and in gRPC below it.
func perChange(t *testing.T, streams, resources int) int64 {
	t.Helper()
	w := newWorld(t, xds.Config{}, many(resources, cluster)...)
	w.join(streams, 1, wildcards(resource.Cluster))
	const changes = 11
	var bytes []int64
	for n := range changes {
		bytes = append(bytes, allocated(func() { w.change(cluster(7, n+1), streams) }))
	}
	slices.Sort(bytes)
	t.Logf("%d streams, %d resources: %d to %d bytes for each change", streams, resources, bytes[0], bytes[changes-1])
	return bytes[changes/2] // a collection in between empties gRPC's pools
}

// The promise is 2 MB for a thousand streams with 10,000 resources, of which a
// changed cluster with its endpoints takes two such responses to each.
func TestWhatAChangeAllocatesGrowsWithStreamsAndNotWithResources(t *testing.T) {
	const most = 1 << 20
	few, more, among := perChange(t, 50, 1000), perChange(t, 100, 1000), perChange(t, 100, 10_000)
	perStream := (more - few) / 50
	if thousand := more + 900*perStream; thousand > most {
		t.Errorf("%d bytes for 100 streams and %d for each further one make %d for a thousand, want at most %d", more, perStream, thousand, most)
	}
	if among > more+more/8 {
		t.Errorf("a change allocates %d bytes among 1,000 resources and %d among 10,000", more, among)
	}
	for _, size := range largeWorlds {
		if got := perChange(t, size.streams, size.resources); got > most*int64(size.streams)/1000 {
			t.Errorf("%d bytes with %d streams and %d resources", got, size.streams, size.resources)
		}
	}
}
