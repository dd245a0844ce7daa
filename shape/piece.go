package shape

import (
	"bytes"
	"slices"
	"sort"

	"github.com/deltaplane/deltaplane/resource"
)

// Pieces calls visit for every leaf, retired ones too, in which a virtual host
// has another part when it changes from old to now: with the part that it has
// now, nil if it has none. Either of old and now may be nil. A part is the
// host itself, or has its name and those of its routes, in their order, which
// can match there: a host without any stands in a leaf all the same, so that
// none that is less specific wins in its stead. An Envoy that has the parts
// of all hosts of a leaf routes each request of the leaf as by the whole table.
//
// The parts depend on the split and the host alone. Cost: the changed
// segments, the leaves that they touch and what is in these of the host.
// Safe for concurrent use.
func (s *Split) Pieces(old, now *resource.Resource, visit func(id uint32, piece *resource.Resource)) {
	s.pieces(remembered, old, now, visit)
}

func (s *Split) pieces(m *memory, old, now *resource.Resource, visit func(id uint32, piece *resource.Resource)) {
	if old == nil && now == nil || old != nil && now != nil && old.Digest() == now.Digest() {
		return
	}
	c := &cutting{memory: m, old: old, now: now, visit: visit}
	before, after := covers(old), covers(now)
	was, is := s.places(before), s.places(after)
	for i := 0; i < len(s.Leaves); {
		g := s.group(i)
		if had, has := in(was, g), in(is, g); had || has {
			c.leaves(ranges{leaves: s.Leaves[g.first:g.end]}, had, has)
			i = g.end
		} else {
			i = next(was, is, g.end, len(s.Leaves))
		}
	}
	for _, r := range s.Retired {
		if had, has := reaches(before, r.Area), reaches(after, r.Area); had || has {
			c.leaves(ranges{[]Leaf{{ID: r.ID, Path: r.Area.PathFrom}}, r.Area.PathTo}, had, has)
		}
	}
}

// next is the first leaf from i on that is in any of two lists of places.
func next(a, b []place, i, end int) int {
	for _, places := range [][]place{a, b} {
		if k := sort.Search(len(places), func(k int) bool { return places[k].end > i }); k < len(places) {
			end = min(end, max(i, places[k].first))
		}
	}
	return end
}

// cutting is one call of Pieces.
type cutting struct {
	memory   *memory
	old, now *resource.Resource
	visit    func(id uint32, piece *resource.Resource)
	edit     *edit // once it is needed
}

// leaves handles the leaves of one range of authorities.
func (c *cutting) leaves(paths ranges, had, has bool) {
	switch {
	case !has:
		for _, l := range paths.leaves {
			c.visit(l.ID, nil)
		}
		return
	case len(paths.leaves) == 1 && paths.of(0) == (span{}):
		c.visit(paths.leaves[0].ID, c.now)
		return
	}
	if c.edit == nil {
		c.edit = c.memory.edit(c.old, c.now)
	}
	wanted := slices.Repeat([]bool{true}, len(paths.leaves))
	if had && c.edit.framed {
		wanted = c.edit.changed(paths)
	}
	for i, b := range c.build(paths, wanted) {
		if wanted[i] {
			c.visit(paths.leaves[i].ID, resource.FromCanonical(resource.VirtualHost, c.now.Name(), b))
		}
	}
}

// changed tells in which of some ranges of paths the routes differ.
func (e *edit) changed(paths ranges) []bool {
	n := len(paths.leaves)
	changed, rest, both := make([]bool, n), make([]bool, n), make([][]byte, 2*n)
	for _, h := range e.hunks {
		for i := range rest {
			rest[i] = !changed[i]
		}
		clear(both)
		was, is := both[:n], both[n:]
		spread(h.gone, paths, rest, was)
		spread(h.came, paths, rest, is)
		for i := range rest {
			changed[i] = changed[i] || !bytes.Equal(was[i], is[i])
		}
	}
	return changed
}

// build is the parts of the host that is now, in the wanted ranges of paths.
func (c *cutting) build(paths ranges, wanted []bool) [][]byte {
	parts := make([][]byte, len(wanted))
	runs := c.memory.runs(c.now)
	each := func(of func(*run) []byte) {
		for _, r := range runs {
			b := of(r)
			if len(b) == 0 {
				continue // as of all but the first and the last
			}
			for i := range parts {
				if wanted[i] {
					parts[i] = append(parts[i], b...)
				}
			}
		}
	}
	each(func(r *run) []byte { return r.before })
	wide := around(paths, wanted)
	for _, r := range runs {
		if r.paths.meets(wide) {
			spread(flat([]*run{r}), paths, wanted, parts)
		}
	}
	each(func(r *run) []byte { return r.after })
	return parts
}

// around is a range around the wanted ones, which ascend.
func around(paths ranges, wanted []bool) (wide span) {
	first := slices.Index(wanted, true)
	if first < 0 {
		return span{}
	}
	wide.from = paths.of(first).from
	for i := first; i < len(wanted); i++ {
		if wanted[i] {
			wide.to = paths.of(i).to
		}
	}
	return wide
}

// few is how many ranges are compared with a route one by one.
const few = 4

// spread appends each route to the parts of the wanted ranges that it can
// match in. The ranges ascend.
func spread(routes []*route, paths ranges, wanted []bool, parts [][]byte) {
	if n := count(wanted); n <= few {
		var only []int
		for i := range wanted {
			if wanted[i] {
				only = append(only, i)
			}
		}
		for _, r := range routes {
			for _, i := range only {
				if in := paths.of(i); r.meets(in.from, in.to) {
					parts[i] = append(parts[i], r.whole...)
				}
			}
		}
		return
	}
	for _, r := range routes {
		for _, p := range r.ranges(paths.leaves) {
			for i := p.first; i < p.end; i++ {
				if wanted[i] {
					parts[i] = append(parts[i], r.whole...)
				}
			}
		}
	}
}

func count(wanted []bool) (n int) {
	for _, w := range wanted {
		if w {
			n++
		}
	}
	return n
}
