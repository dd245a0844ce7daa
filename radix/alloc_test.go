//go:build !race

package radix

import (
	"testing"

	"github.com/deltaplane/deltaplane/internal/invariant"
)

// Not under the race detector: it takes from pools what they hold, at random.
func TestReadingDoesNotAllocate(t *testing.T) {
	a := entries(10_000)
	b := a.Put(entry(5_000), -1)
	key := entry(5_000)
	if n := testing.AllocsPerRun(100, func() { a.Get(key) }); n != 0 {
		t.Errorf("Get allocates %v times", n)
	}
	// The path grows a few times and one change's key is made.
	if n := testing.AllocsPerRun(100, func() { visits(a, b, "") }); n > 16 {
		t.Errorf("Diff of one change allocates %v times", n)
	}
	nodes, _ := depth(a, key)
	// Each node on the path is copied with its children; hashing needs a buffer.
	// Checks of invariants allocate for their messages.
	if n := testing.AllocsPerRun(100, func() { a.Put(key, -1) }); n > float64(2*nodes+12) && !invariant.Enabled {
		t.Errorf("Put at depth %d allocates %v times", nodes, n)
	}
}
