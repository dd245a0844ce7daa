package deltaplane

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource/deltaplanev1"
	"github.com/deltaplane/deltaplane/shape"
)

// This file remembers with a fleet by which splits its proxies may have been
// led before. The leaves of these stay for them, and for them alone, until
// connections have drained. Which leaves a fleet's proxies get depends on what
// is stored alone, so it is the same at each replica and after a restart.

// succeed is tree, which becomes a version, with each fleet's past: what its proxies
// had before if it says something else now, or if they may have been another
// fleet's.
// Cost: O(fleets); O(fleets) more for each that changed.
func succeed(tree radix.Tree[*Entry], before, after fleetWishes, version Version, at shape.Moment) radix.Tree[*Entry] {
	same := slices.EqualFunc(before, after, func(g, f fleetWish) bool { return g.entry == f.entry && g.key == f.key })
	if same && !slices.ContainsFunc(after, func(f fleetWish) bool { return len(f.Past) > 0 }) {
		return tree
	}
	x := tree.Txn()
	was := map[Key]fleetWish{}
	for _, g := range before {
		was[g.key] = g
	}
	moved, end := movedFleets(was, after), PastShape{Ended: version, Since: at.Now}
	left := slices.DeleteFunc(slices.Clone(before), func(g fleetWish) bool { return !moved[g.key] })
	for _, f := range after {
		if f.entry == nil {
			continue
		}
		past := slices.DeleteFunc(slices.Clone(f.entry.Past), func(p PastShape) bool { return at.Over(p.Since) })
		from := left // the fleets whose proxies may have become f's
		if moved[f.key] {
			from = before
		} else if old, ok := was[f.key]; ok {
			from = append(slices.Clip(left), old)
		}
		for _, g := range from {
			if shareNamespace(g, f) {
				past = f.inherit(past, g, end, at)
			}
		}
		if past = f.without(past, before, end); !slices.Equal(past, f.entry.Past) {
			changed := *f.entry
			changed.Past = past
			x.Put(f.key.Path(), changed.sealed())
		}
	}
	return x.Commit()
}

// movedFleets are those that came or went, or whose proxies may have become
// another's for what they say. A proxy that one of two others had and the other
// has now is not for what these say: one of them would have had it before, too.
func movedFleets(before map[Key]fleetWish, after fleetWishes) map[Key]bool {
	moved := map[Key]bool{}
	for k := range before {
		moved[k] = true
	}
	for _, f := range after {
		g, was := before[f.key]
		same := was && (g.entry == f.entry || f.Priority == g.Priority &&
			slices.EqualFunc(f.Selectors, g.Selectors, func(a, b *deltaplanev1.Selector) bool { return proto.Equal(a, b) }))
		moved[f.key] = !same
	}
	return moved
}

func shareNamespace(g, f fleetWish) bool {
	return slices.ContainsFunc(f.Namespaces, func(n string) bool { return slices.Contains(g.Namespaces, n) })
}

// inherit is past with what proxies may have had as those of g.
func (f fleetWish) inherit(past []PastShape, g fleetWish, end PastShape, at shape.Moment) []PastShape {
	if g.leads() != f.leads() {
		past = note(past, end.of(g.leads()))
	}
	if g.entry != nil && g.key != f.key {
		for _, p := range g.entry.Past {
			if !at.Over(p.Since) {
				past = note(past, p)
			}
		}
	}
	return past
}

// without is past without what leads f's proxies now. With too many others they
// have tables as written, and what led them is past.
func (f fleetWish) without(past []PastShape, before fleetWishes, end PastShape) []PastShape {
	if _, off := shape.OptionsOf(f.Shape); off {
		return slices.DeleteFunc(past, func(p PastShape) bool { return p.Options == asWritten })
	}
	others := slices.DeleteFunc(slices.Clone(past), func(p PastShape) bool { return p.Options == f.Options })
	if len(others) <= maxPast {
		return others
	}
	if slices.ContainsFunc(before, func(g fleetWish) bool { return g.key == f.key && !g.AsWritten && g.Options == f.Options }) {
		past = note(past, end.of(f.Options))
	}
	return past
}

// note is past with p, which counts from its latest end on.
func note(past []PastShape, p PastShape) []PastShape {
	i := slices.IndexFunc(past, func(q PastShape) bool { return q.Options == p.Options })
	if i < 0 {
		return append(past, p)
	}
	if p.Ended > past[i].Ended {
		past = slices.Clone(past)
		past[i] = p
	}
	return past
}

// of is p of these options.
func (p PastShape) of(o shape.Options) PastShape {
	p.Options = o
	return p
}
