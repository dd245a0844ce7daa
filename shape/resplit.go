package shape

import (
	"iter"
	"slices"

	"github.com/deltaplane/deltaplane/resource"
)

// A fresh leaf holds about as many routes and domains as the table's divided by
// the number of shards, but leafMin at least. It has outgrown its bound at
// outgrown times that, unless it was made with more than half of what it has.
// A table is divided anew when it has become a quarter of what it was, when
// half of it is in outgrown leaves, and when its leaves hold together twice as
// much as the duplication allows or are twice as many
// as a fresh split may have.
const (
	leafMin  = 8
	outgrown = 4
)

// Outgrown are the leaves that have outgrown their bound, in their order. A
// leaf that Resplit found that it can't cut is not among them before it has
// become twice as large.
// Cost: the leaves.
func (t *Tally) Outgrown() []uint32 {
	var ids []uint32
	for i := range t.leaves {
		if t.outgrown(i) {
			ids = append(ids, t.split.Leaves[i].ID)
		}
	}
	return ids
}

func (t *Tally) outgrown(i int) bool {
	size := t.leaves[i].entries()
	return size > outgrown*t.aim() && size > 2*int(t.split.Leaves[i].Size)
}

// aim is how many routes and domains a fresh leaf has.
func (t *Tally) aim() int { return max(leafMin, t.table.entries()/t.split.Options.Shards) }

// Due reports whether Resplit would change the split, unless too many leaves
// are still retired. Ask after each commit.
// Cost: the leaves.
func (t *Tally) Due() bool {
	return t.afresh() || len(t.split.Leaves) > 0 && (t.plain() || len(t.Outgrown()) > 0)
}

// plain reports whether a table that is split should no longer be.
func (t *Tally) plain() bool { return t.table.routes < Threshold/2 || t.Whole() != "" }

// afresh reports whether the whole table is to be divided anew.
func (t *Tally) afresh() bool {
	now, then := t.table.entries(), int(t.split.Size)
	if len(t.split.Leaves) == 0 {
		return t.table.routes >= Threshold && now > then*5/4 && t.Whole() == ""
	}
	if t.plain() {
		return false
	}
	sum, large := 0, 0
	for i, n := range t.leaves {
		sum += n.entries()
		if t.outgrown(i) {
			large += n.entries()
		}
	}
	return now < then/4 || large > sum/2 || len(t.leaves) > 2*maxLeaves(t.split.Options) ||
		float64(sum) > 2*t.split.Options.Duplication*float64(now)
}

// Resplit is the split that the table should have from a moment on: t's own,
// the same pointer, if nothing is due. While too many leaves are retired there
// are no new ones. Only the leaves that have outgrown their
// bound are cut: they are retired, and their parts have new IDs. A table that
// must go out as written, or that has come below half of Threshold, has no
// leaves any more, and one that is no longer recognisable is divided anew. For
// what comes out a new tally is to be made, with Count.
// Cost: some passes over the table.
func (t *Tally) Resplit(hosts iter.Seq[*resource.Resource], at Moment) *Split {
	kept := t.split.Expire(at)
	switch {
	case len(kept.Leaves) > 0 && t.plain():
		return t.split.Retire(t.split.Options, at)
	case kept.crowded():
		return kept
	case t.afresh():
		return t.anew(kept, hosts, at)
	case len(t.Outgrown()) == 0:
		return kept
	}
	s := *t.split
	s.Retired, s.Leaves, s.Next = slices.Clone(kept.Retired), nil, max(s.Next, at.Next)
	table := read(hosts)
	for i, l := range t.split.Leaves {
		if !t.outgrown(i) {
			s.Leaves = append(s.Leaves, l)
			continue
		}
		parts, ok := t.cut(table, i)
		if !ok {
			l.Size = uint32(t.leaves[i].entries())
			s.Leaves = append(s.Leaves, l)
			continue
		}
		s.Retired = append(s.Retired, Retired{ID: l.ID, Area: t.split.area(i), Since: at.Now})
		for _, part := range parts.leaves {
			part.ID = s.Next
			s.Next++
			s.Leaves = append(s.Leaves, part)
		}
	}
	after := &Tally{split: &s, shell: t.shell, whole: t.whole, table: t.table, leaves: table.count(s.Leaves)}
	for i, n := range after.leaves {
		if s.Leaves[i].ID >= t.split.Next {
			s.Leaves[i].Size = uint32(n.entries())
		}
	}
	if after.afresh() { // as these parts duplicate too much
		return t.anew(kept, hosts, at)
	}
	return &s
}

// anew is the table divided anew, or as kept has it if that would retire too
// many leaves.
func (t *Tally) anew(kept *Split, hosts iter.Seq[*resource.Resource], at Moment) *Split {
	renewed, _ := t.split.Renew(t.shell, hosts, t.split.Options, at)
	if renewed.crowded() {
		return kept
	}
	return renewed
}

// cut divides the i-th leaf. ok is false when that makes its largest part not
// much smaller.
func (t *Tally) cut(table *contents, i int) (best candidate, ok bool) {
	leaf, by := t.split.Leaves[i], t.split.Options.By
	c := table.within(t.split.area(i))
	size := t.leaves[i].entries()
	n := max(2, size/max(t.aim(), int(leaf.Size)))
	if alone := leaf.Path == "" && t.split.group(i).end == i+1; alone && by != ByPath {
		best = c.candidate(c.byHost(n))
		ok = true
	}
	if by != ByHost {
		if k := c.candidate(c.byPath(n)); !ok || k.better(best) {
			best, ok = k, true
		}
	}
	return best, ok && best.largest <= size*3/4
}
