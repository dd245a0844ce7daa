package e2e

import (
	"flag"
	"math/rand/v2"
	"testing"
	"time"
)

// seedFlag replays the random choices of a test that failed.
var seedFlag = flag.Uint64("seed", 0, "seed of the tests that choose at random; 0: a new one")

// seeded is a source of random numbers for t, whose seed is printed when t fails.
func seeded(t *testing.T) *rand.Rand {
	t.Helper()
	seed := *seedFlag
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("replay with: go test ./e2e -run '^%s$' -seed=%d (-tags faults for the long form)", t.Name(), seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 0))
}
