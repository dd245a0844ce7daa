package deltaplane

import (
	"cmp"
	"slices"

	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/resource/deltaplanev1"
	"github.com/deltaplane/deltaplane/shape"
)

// wish is how users want a table to be split.
type wish struct {
	shape.Options
	off bool // not at all
}

// wishes are those that a tree has.
type wishes struct {
	tree   radix.Tree[*Entry]
	fleets []*deltaplanev1.Fleet // those that say something, the one that counts first comes first
}

// wishesIn reads the wishes of a tree. Cost: O(fleets).
func wishesIn(tree radix.Tree[*Entry]) wishes {
	w := wishes{tree: tree}
	for _, e := range tree.Prefix(TypePrefix("", resource.Fleet)) {
		m, err := e.Resource.Message()
		if fleet, ok := m.(*deltaplanev1.Fleet); ok && err == nil && fleet.Shape != nil {
			w.fleets = append(w.fleets, fleet)
		}
	}
	slices.SortStableFunc(w.fleets, func(a, b *deltaplanev1.Fleet) int { return cmp.Compare(b.Priority, a.Priority) })
	return w
}

// of is what is wished for the table at k: what its Shape says, else the first
// fleet that receives its namespace and wants tables split; a fleet that does
// not want them split gets them as written, whatever others get. A split is
// one for all fleets.
func (w wishes) of(k Key) wish {
	if said := ShapeAt(w.tree, k); said != nil {
		o, off := shape.OptionsOf(said)
		return wish{o, off}
	}
	for _, fleet := range w.fleets {
		if o, off := shape.OptionsOf(fleet.Shape); !off && slices.Contains(fleet.Namespaces, k.Namespace) {
			return wish{Options: o}
		}
	}
	return wish{Options: shape.Defaults()}
}

// ShapeAt is what the Shape of a route configuration says, nil without one.
func ShapeAt(tree radix.Tree[*Entry], table Key) *deltaplanev1.ShapeOptions {
	e, ok := tree.Get(Key{table.Namespace, resource.Shape, table.Name}.Path())
	if !ok {
		return nil
	}
	m, err := e.Resource.Message()
	said, ok := m.(*deltaplanev1.Shape)
	if !ok || err != nil {
		return nil
	}
	return said.Options()
}
