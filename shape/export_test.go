package shape

import "github.com/deltaplane/deltaplane/resource"

// Entries is the routes and domains in each of the leaves, and in the table.
func (t *Tally) Entries() (leaves []int, table int) {
	for _, n := range t.leaves {
		leaves = append(leaves, n.entries())
	}
	return leaves, t.table.entries()
}

// Visited is how many routes Pieces and Change read for one change after
// another from the first host, of which nothing was known before.
func Visited(s *Split, t *Tally, hosts ...*resource.Resource) (pieces, change []int) {
	p, c := &memory{limit: 1 << 20}, &memory{limit: 1 << 20}
	last := (*resource.Resource)(nil)
	for _, h := range hosts {
		before, counted := p.routes, c.routes
		s.pieces(p, last, h, func(uint32, *resource.Resource) {})
		t.change(c, last, h)
		pieces, change = append(pieces, p.routes-before), append(change, c.routes-counted)
		last = h
	}
	return pieces, change
}

// Memory is what is remembered of segments.
type Memory struct{ m *memory }

// NewMemory has a limit of its own.
func NewMemory(limit int) Memory { return Memory{&memory{limit: limit}} }

// Read reads a VirtualHost.
func (m Memory) Read(h *resource.Resource) { m.m.runs(h) }

// Kept is how many routes are remembered.
func (m Memory) Kept() (routes int) {
	for _, generation := range []map[resource.Digest]*run{m.m.young, m.m.old} {
		for _, r := range generation {
			routes += len(r.routes)
		}
	}
	return routes
}

// KnownFilters are the types of the filters whose effects are known.
func KnownFilters() (names []string) {
	for name := range effects {
		names = append(names, httpFilters+name)
	}
	for name := range writers {
		names = append(names, httpFilters+name)
	}
	return names
}

// Crowded reports whether so many leaves of s are retired that there should be
// no more.
func (s *Split) Crowded() bool { return s.crowded() }

// Aside reports whether an authority that stands from `from` up to `to`, as it
// is written, is set aside.
func Aside(from, to, host string) bool {
	a := misplaced(from, to)
	return a.end != "" && a.first <= host && host < a.end && (!a.mixed || lower(host) != host)
}

// Mutations are the expressions of the mutations that lead to leaves, but for
// the one that writes the start of a key.
func Mutations(leaves []Leaf) []string { return expressions(leaves) }
