package shape

import (
	"fmt"
	"iter"
	"slices"

	"github.com/deltaplane/deltaplane/resource"
)

// New divides a table. Without leaves it goes out as written, and the reason,
// a sentence for users, says why. IDs begin at 0.
// Cost: some passes over the table: about 1 s for 100,000 routes.
func New(shell *resource.Resource, hosts iter.Seq[*resource.Resource], o Options) (s *Split, reason string) {
	return (&Split{}).Renew(shell, hosts, o, Moment{})
}

// Renew divides a table anew, as New does, and retires all leaves that it had.
// With too many of these it goes out as written.
func (s *Split) Renew(shell *resource.Resource, hosts iter.Seq[*resource.Resource], o Options, at Moment) (*Split, string) {
	renewed := s.Retire(o, at)
	renewed.Next = max(renewed.Next, at.Next)
	if renewed.crowded() {
		return renewed, renewed.crowding()
	}
	reason := wholeTable(shell, hosts)
	if reason != "" {
		return renewed, reason
	}
	c := read(hosts)
	if c.number.routes < Threshold {
		return renewed, fmt.Sprintf("it has %d routes, and only from %d on splitting it pays", c.number.routes, Threshold)
	}
	renewed.Size = uint32(c.number.entries())
	best, reason := c.best(o)
	if reason != "" {
		return renewed, reason
	}
	for i, l := range best.leaves {
		l.ID, l.Size = renewed.Next, uint32(best.numbers[i].entries())
		renewed.Next++
		renewed.Leaves = append(renewed.Leaves, l)
	}
	return renewed, ""
}

// Retire is s without leaves, which are retired as of now, and with options o.
func (s *Split) Retire(o Options, at Moment) *Split {
	left := &Split{Options: o, Next: s.Next, Made: s.Made, Retired: slices.Clone(s.Expire(at).Retired)}
	for i, l := range s.Leaves {
		left.Retired = append(left.Retired, Retired{ID: l.ID, Area: s.area(i), Since: at.Now})
	}
	return left
}

// candidate is one way to divide a table.
type candidate struct {
	leaves  []Leaf
	numbers []number
	largest int // entries of the largest leaf
	sum     int // entries of all leaves
}

func (c *contents) candidate(leaves []Leaf) candidate {
	k := candidate{leaves: leaves, numbers: c.count(leaves)}
	for _, n := range k.numbers {
		k.largest, k.sum = max(k.largest, n.entries()), k.sum+n.entries()
	}
	return k
}

// better reports whether k beats other: by its largest leaf, then by what it
// duplicates.
func (k candidate) better(other candidate) bool {
	if k.largest != other.largest {
		return k.largest < other.largest
	}
	return k.sum < other.sum
}

// maxLeaves is how many leaves a fresh split has at most: parts of what is too
// large come on top of the shards.
func maxLeaves(o Options) int { return 2 * o.Shards }

// best is the best way to divide a whole table, or the reason why none is
// worth it.
func (c *contents) best(o Options) (best candidate, reason string) {
	ways := map[By]func(int) []Leaf{ByHost: c.byHost, ByPath: c.byPath, ByHostPath: c.byHostPath}
	budget, found, cuttable := int(o.Duplication*float64(c.number.entries())), false, false
	for _, by := range []By{ByHost, ByPath, ByHostPath} {
		if o.By != ByAuto && o.By != by {
			continue
		}
		for n := o.Shards; n >= 2; n /= 2 {
			k := c.candidate(ways[by](n))
			cuttable = cuttable || len(k.leaves) > 1
			if len(k.leaves) < 2 {
				break
			}
			if k.sum <= budget && len(k.leaves) <= maxLeaves(o) {
				if !found || k.better(best) {
					best, found = k, true
				}
				break
			}
		}
	}
	switch {
	case !cuttable:
		return best, "it has too few exact domains or literal paths to cut it at"
	case !found:
		return best, fmt.Sprintf("parts of it would hold more than %.4g times its routes and domains together, as wildcard domains, and routes that any path may match, stand in every part: allow more duplication, or make these fewer", o.Duplication)
	case best.largest > c.number.entries()/2:
		return best, fmt.Sprintf("the largest part would still hold %d of its %d routes and domains, as wildcard domains, and routes that any path may match, stand in every part", best.largest, c.number.entries())
	}
	return best, ""
}
