//go:build !faults

package cost

// largeWorlds are measured in the long form, as streams and resources.
var largeWorlds []struct{ streams, resources int }
