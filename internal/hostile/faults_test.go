//go:build faults

package hostile

// How much the tests do in `make test-faults`.
const (
	repeats     = 100     // of each hostile request, each on a connection of its own
	resets      = 500_000 // streams that are opened and reset at once
	connections = 2000    // that send garbage, or nothing
	stalled     = 100     // connections on which a large request is arriving
)
