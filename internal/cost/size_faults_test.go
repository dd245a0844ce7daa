//go:build faults

package cost

// largeWorlds are what the promises are about, as streams and resources.
var largeWorlds = []struct{ streams, resources int }{{1000, 10_000}, {100, 100_000}}
