package deltaplane

import (
	"iter"
	"slices"

	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
)

// settlement is one commit's decision on one table.
type settlement struct {
	key        Key
	entry      *Entry // of its shell, with the splits that it had
	before     wish
	wish       wish
	base, tree radix.Tree[*Entry]
	version    Version
	at         shape.Moment // Next grows with the leaves that are made
}

func (s *settlement) hosts() iter.Seq[*resource.Resource] { return resourcesOf(s.tree, s.key) }

// blank reports whether a split is of a table that has never been considered.
func (s *settlement) blank(split *shape.Split) bool {
	return len(s.entry.Splits) == 0 && len(split.Leaves)+len(split.Retired) == 0 && split.Size == 0
}

// splits are those that the table has from now on: one for each set of options
// that is wished, in that order, and those of which only leaves are kept.
func (t *tables) splits(s *settlement) []*shape.Split {
	one := t.known(s)
	s.at.Next = uint32(s.version) << leafBits
	if len(s.entry.Splits) > 0 {
		s.at.Next = 0
	}
	for _, split := range s.entry.Splits {
		s.at.Next = max(s.at.Next, split.Next)
	}
	var splits []*shape.Split
	var parts []division
	for _, o := range s.wish.now {
		split, tally := s.split(one, o, len(splits) > 0)
		s.at.Next = max(s.at.Next, split.Next)
		parts = append(parts, division{split, tally})
		if s.blank(split) {
			break // nothing is due, by whatever options
		}
		splits = append(splits, split)
	}
	one.parts = parts
	if whole := s.whole(); whole != nil {
		splits = append(splits, whole)
	}
	for _, o := range s.wish.past {
		if old := splitBy(s.entry.Splits, o); old != nil && !slices.Contains(s.wish.now, o) {
			splits = append(splits, old)
		}
	}
	return s.numbered(splits)
}

// split is that by o, with its tally. divided: the table has just been, by
// other options.
func (s *settlement) split(one *table, o shape.Options, divided bool) (*shape.Split, *shape.Tally) {
	was := splitBy(s.entry.Splits, o)
	start := was
	if was == nil {
		start = &shape.Split{Options: o, Next: s.at.Next}
		if len(s.wish.now) > 1 || len(s.entry.Splits) > 0 {
			start.Made = uint64(s.version)
		}
	}
	start = start.Inherit(s.at, s.heritage(o)...)
	tally := one.tally(s, start)
	var split *shape.Split
	switch {
	case s.wish.off && len(start.Leaves) > 0:
		split = start.Retire(o, s.at)
	case s.wish.off:
		split = start.Expire(s.at)
	case was == nil && (divided || len(s.entry.Splits) > 0 || tally.Due()):
		split, _ = start.Renew(s.entry.Resource, s.hosts(), o, s.at)
	case tally.Due():
		split = tally.Resplit(s.hosts(), s.at)
	default:
		split = start.Expire(s.at)
	}
	if split != start {
		tally = shape.Count(split, s.entry.Resource, s.hosts())
	}
	return split, tally
}

// whole stands for those who have the table as written; nil when they drain
// from nothing, or only from what their fleet's past says.
func (s *settlement) whole() *shape.Split {
	was := splitBy(s.entry.Splits, asWritten)
	start := was
	if was == nil {
		start = &shape.Split{Made: uint64(s.version)}
	}
	if !s.wish.whole {
		return nil
	}
	if left := start.Inherit(s.at, s.heritage(asWritten)...).Expire(s.at); len(left.Retired) > 0 {
		return left
	}
	return nil
}

// heritage are the splits whose leaves connections that the split by o leads
// from now on may still drain from, and no fleet's past says so: all others
// where the wish turned, and the first of a table that was stored before it had
// one for each of its fleets' wishes.
func (s *settlement) heritage(o shape.Options) []*shape.Split {
	was := splitBy(s.entry.Splits, o)
	switch {
	case s.wish.turns(s.before):
		return slices.DeleteFunc(slices.Clone(s.entry.Splits), func(other *shape.Split) bool { return other == was })
	case was == nil && len(s.entry.Splits) > 0 && slices.Contains(s.before.now, o):
		return s.entry.Splits[:1]
	}
	return nil
}

// numbered is splits, the first of which remembers the ID of the next new leaf
// if a split that goes had the last one: none is used twice.
func (s *settlement) numbered(splits []*shape.Split) []*shape.Split {
	var had, has uint32
	for _, split := range s.entry.Splits {
		had = max(had, split.Next)
	}
	for _, split := range splits {
		has = max(has, split.Next)
	}
	if len(splits) > 0 && has < had {
		first := *splits[0]
		first.Next = had
		splits[0] = &first
	}
	return splits
}
