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
	said  bool            // by a Shape, for all fleets alike
	off   bool            // a Shape says: not at all
	now   []shape.Options // of the splits that lead somebody, each once; never empty
	past  []shape.Options // of those from which some fleet's connections may still drain
	whole bool            // some fleet has tables as written, or had them before
	all   bool            // there is no fleet: every proxy has the same
}

func (w wish) equal(o wish) bool {
	return w.said == o.said && w.off == o.off && w.whole == o.whole && w.all == o.all && slices.Equal(w.now, o.now) && slices.Equal(w.past, o.past)
}

// turns reports whether a table of w is served otherwise than by o, the wish
// before, for another reason than what a fleet says: what anybody had by o may
// then have to drain wherever w leads.
func (w wish) turns(o wish) bool {
	if w.said || o.said {
		return w.said != o.said || w.off != o.off || !slices.Equal(w.now, o.now)
	}
	return w.all && !o.all
}

// fleetWish is what a tree has of one fleet.
type fleetWish struct {
	*deltaplanev1.Fleet
	Shaping
	key   Key
	entry *Entry // nil for every proxy where there is no fleet
}

// fleetWishes are the fleets of a tree, the one that counts first comes first.
type fleetWishes []fleetWish

// fleetsIn reads the fleets of a tree. Where there is none it is one that
// stands for every proxy.
// Cost: O(fleets); each is parsed.
func fleetsIn(tree radix.Tree[*Entry]) fleetWishes {
	var fleets fleetWishes
	for path, e := range tree.Prefix(TypePrefix("", resource.Fleet)) {
		m, err := e.Resource.Message()
		if fleet, ok := m.(*deltaplanev1.Fleet); ok && err == nil {
			fleets = append(fleets, fleetWish{fleet, ShapingOf(fleet, e), KeyOf(path), e})
		}
	}
	if len(fleets) == 0 {
		everybody := &deltaplanev1.Fleet{Namespaces: []string{DefaultNamespace}}
		return fleetWishes{{Fleet: everybody, Shaping: DefaultShaping()}}
	}
	slices.SortStableFunc(fleets, func(a, b fleetWish) int { return cmp.Compare(b.Priority, a.Priority) })
	return fleets
}

// wishes are those that a tree has.
type wishes struct {
	tree   radix.Tree[*Entry]
	fleets fleetWishes
}

// of is what is wished for the table at k: what its Shape says, else what each
// fleet does that receives its namespace. A table that all of them want as
// written is split by the defaults, for whoever comes.
// Cost: O(fleets).
func (w wishes) of(k Key) wish {
	if said := ShapeAt(w.tree, k); said != nil {
		o, off := shape.OptionsOf(said)
		return wish{said: true, off: off, now: []shape.Options{o}}
	}
	var wanted wish
	for _, f := range w.fleets {
		wanted.all = f.entry == nil
		if !slices.Contains(f.Namespaces, k.Namespace) {
			continue
		}
		if !f.AsWritten && !slices.Contains(wanted.now, f.Options) {
			wanted.now = append(wanted.now, f.Options)
		}
		wanted.whole = wanted.whole || f.AsWritten
		for _, p := range f.Past {
			if p.Options == asWritten {
				wanted.whole = true
			} else if !slices.Contains(wanted.past, p.Options) {
				wanted.past = append(wanted.past, p.Options)
			}
		}
	}
	if wanted.now == nil {
		wanted.now = []shape.Options{shape.Defaults()}
	}
	return wanted
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
