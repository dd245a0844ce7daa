package load

import "github.com/deltaplane/deltaplane/bench/swarm"

// Kind is what serves on a side.
type Kind string

// The kinds of sides.
const (
	Deltaplane Kind = "deltaplane"     // ours
	Snapshot   Kind = "snapshot"       // go-control-plane, state of the world, one snapshot for all
	PerNode    Kind = "delta-per-node" // go-control-plane, delta, a snapshot for each node
	Shared     Kind = "delta"          // go-control-plane, delta, one snapshot for all
	Linear     Kind = "linear"         // go-control-plane, delta, its linear cache
	Floor      Kind = "floor"          // grpc-go that sends ready bytes to all
	FloorTuned Kind = "floor-tuned"    // likewise, without grpc-go's pings
	TCP        Kind = "tcp"            // plain TCP writes of the same bytes
)

// Kinds are all of them.
func Kinds() []Kind {
	return []Kind{Deltaplane, Snapshot, PerNode, Shared, Linear, Floor, FloorTuned, TCP}
}

// floor reports whether the kind is one: it knows nothing of control planes.
func (k Kind) floor() bool { return k == Floor || k == FloorTuned || k == TCP }

// protocol is what the kind's proxies speak.
func (k Kind) protocol() swarm.Protocol {
	switch k {
	case Snapshot:
		return swarm.SotW
	case TCP:
		return swarm.TCP
	default:
		return swarm.Delta
	}
}
