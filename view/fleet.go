package view

import (
	"cmp"
	"slices"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/resource/deltaplanev1"
)

// Fleets are the Fleet resources of a snapshot, parsed. They are immutable.
type Fleets struct {
	hash   radix.Hash
	sorted []fleet // the one that counts first comes first
}

// fleet is one of them, and how it has large tables.
type fleet struct {
	*deltaplanev1.Fleet
	shaping deltaplane.Shaping
}

// FleetsIn reads the fleets of s. Cost: O(fleets); each is parsed.
func FleetsIn(s *deltaplane.Snapshot) *Fleets {
	f := &Fleets{hash: fleetHash(s)}
	for _, e := range s.List("", resource.Fleet) {
		m, err := e.Resource.Message()
		if said, ok := m.(*deltaplanev1.Fleet); ok && err == nil {
			f.sorted = append(f.sorted, fleet{said, deltaplane.ShapingOf(said, e)})
		}
	}
	slices.SortStableFunc(f.sorted, func(a, b fleet) int { return cmp.Compare(b.Priority, a.Priority) })
	return f
}

// Same reports whether s has the same fleets. Cost: O(1).
func (f *Fleets) Same(s *deltaplane.Snapshot) bool { return f.hash == fleetHash(s) }

// SameFleets reports whether a and b have the same fleets. Cost: O(1).
func SameFleets(a, b *deltaplane.Snapshot) bool { return fleetHash(a) == fleetHash(b) }

func fleetHash(s *deltaplane.Snapshot) radix.Hash {
	return s.Tree().PrefixHash(deltaplane.TypePrefix("", resource.Fleet))
}

// byDefault is what every node receives without any fleet.
var byDefault = []string{deltaplane.DefaultNamespace}

// Of is the fleet that node belongs to and the namespaces that it receives:
// of all that select it, the one of the highest priority, then the first by
// name. Without any fleet it is the default namespace; ok is false if there
// are fleets and none selects node. Cost: O(fleets).
func (f *Fleets) Of(node *corev3.Node) (name string, namespaces []string, ok bool) {
	if len(f.sorted) == 0 {
		return "", byDefault, true
	}
	for _, fleet := range f.sorted {
		if fleet.Selects(node) {
			return fleet.Name, fleet.Namespaces, true
		}
	}
	return "", nil, false
}

// Shaping is how the fleet of this name has large tables; "" is the default,
// without any fleet.
func (f *Fleets) Shaping(name string) deltaplane.Shaping {
	if i := slices.IndexFunc(f.sorted, func(fleet fleet) bool { return fleet.Name == name }); i >= 0 {
		return f.sorted[i].shaping
	}
	return deltaplane.DefaultShaping()
}
