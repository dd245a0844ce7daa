package xds

import (
	"slices"
	"sync/atomic"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/view"
)

// Assignment is what a node should have.
type Assignment struct {
	Fleet      string             // the fleet that says so, "" without any
	Namespaces []string           // whose resources it gets; later ones override
	None       bool               // no fleet wants the node: it keeps what it has
	Shaping    deltaplane.Shaping // how it gets large tables; zero: as by default
}

// Assigner decides what each node should have. Assign is called with a
// stream's first request and again whenever a new version is out, on one of few
// goroutines that all streams share: it must return fast and not block.
type Assigner interface {
	Assign(node *corev3.Node, s *deltaplane.Snapshot) Assignment
}

// Steady is an Assigner that can tell which versions change no assignment.
// Without it every version is brought to every stream.
type Steady interface {
	// Same reports whether all nodes have in b what they have in a. It must
	// return fast and not block.
	Same(a, b *deltaplane.Snapshot) bool
}

// byFleet is the Assigner by the Fleet resources of the snapshot.
type byFleet struct{ parsed atomic.Pointer[view.Fleets] }

// Assign finds the fleet of the highest priority that selects node. Without
// any Fleet in the snapshot every node gets the default namespace.
func (b *byFleet) Assign(node *corev3.Node, s *deltaplane.Snapshot) Assignment {
	fleets := b.parsed.Load()
	if fleets == nil || !fleets.Same(s) {
		fleets = view.FleetsIn(s)
		b.parsed.Store(fleets)
	}
	name, namespaces, ok := fleets.Of(node)
	return Assignment{Fleet: name, Namespaces: namespaces, None: !ok, Shaping: fleets.Shaping(name)}
}

// Same reports whether a and b have the same fleets.
func (b *byFleet) Same(a, c *deltaplane.Snapshot) bool { return view.SameFleets(a, c) }

func (a Assignment) equal(b Assignment) bool {
	return a.Fleet == b.Fleet && a.None == b.None && a.Shaping.Equal(b.Shaping) && slices.Equal(a.Namespaces, b.Namespaces)
}
