//go:build !faults

package hostile

// How much the tests do in CI.
const (
	repeats     = 10     // of each hostile request, each on a connection of its own
	resets      = 20_000 // streams that are opened and reset at once
	connections = 100    // that send garbage, or nothing
	stalled     = 20     // connections on which a large request is arriving
)
