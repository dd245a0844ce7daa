package shape

import (
	"cmp"
	"iter"
	"slices"

	"github.com/deltaplane/deltaplane/resource"
)

// contents is a table, or what one of its leaves has of it, as it is looked at
// to find out where to cut.
type contents struct {
	area    Area
	members []member
	number  number
}

// member is a virtual host of contents.
type member struct {
	covers []span   // of authorities
	exact  []string // its domains without wildcards, in lower case, ascending
	number number   // the host and its domains
	routes []*route
}

// read makes the contents of a table.
// Cost: one pass over the table.
func read(hosts iter.Seq[*resource.Resource]) *contents {
	c := &contents{}
	for h := range hosts {
		m := member{covers: covers(h), number: numberOf(h), routes: flat(remembered.runs(h))}
		for d := range domains(h) {
			if key, ok := exact(d); ok {
				m.exact = append(m.exact, key)
			}
		}
		slices.Sort(m.exact)
		c.add(m)
	}
	return c
}

func (c *contents) add(m member) {
	c.members = append(c.members, m)
	c.number.add(1, m.number)
	c.number.routes += len(m.routes)
}

// within is the part of c that stands in an area.
func (c *contents) within(a Area) *contents {
	part := &contents{area: a}
	for _, m := range c.members {
		if m.covers = clipped(m.covers, span{a.HostFrom, a.HostTo}); len(m.covers) == 0 {
			continue
		}
		if a.PathFrom != "" || a.PathTo != "" {
			m.routes = slices.DeleteFunc(slices.Clone(m.routes), func(r *route) bool { return !r.meets(a.PathFrom, a.PathTo) })
		}
		part.add(m)
	}
	return part
}

// clipped is the part of some spans that stands in another.
func clipped(spans []span, in span) (parts []span) {
	for _, s := range spans {
		if s.meets(in) {
			s.from = max(s.from, in.from)
			if s.to == "" || in.to != "" && in.to < s.to {
				s.to = in.to
			}
			parts = append(parts, s)
		}
	}
	return parts
}

// count is what each of some leaves, which divide c's area, would hold of c.
func (c *contents) count(leaves []Leaf) []number {
	s := &Split{Leaves: leaves}
	numbers := make([]number, len(leaves))
	for _, m := range c.members {
		s.count(numbers, s.places(m.covers), 1, m.number, m.routes)
	}
	return numbers
}

// weighed is a place where a range may begin, and what begins with it.
type weighed struct {
	key    string
	weight int
}

// byHost cuts c at exact domains into at most n leaves of about the same size.
// A host weighs at the first of its domains: between the others there is no
// reason to cut, as the host would stand on both sides.
func (c *contents) byHost(n int) []Leaf {
	var keys []weighed
	for _, m := range c.members {
		first := true
		for _, key := range m.exact {
			if c.area.HostFrom <= key && (c.area.HostTo == "" || key < c.area.HostTo) {
				k := weighed{key: key}
				if first {
					k.weight, first = m.number.domains+len(m.routes), false
				}
				keys = append(keys, k)
			}
		}
	}
	leaves := []Leaf{{Host: c.area.HostFrom, Path: c.area.PathFrom}}
	for _, at := range quantiles(keys, n) {
		leaves = append(leaves, Leaf{Host: at, Path: c.area.PathFrom})
	}
	return leaves
}

// byPath cuts c at what its routes' paths begin with into at most n leaves of
// about the same size.
func (c *contents) byPath(n int) []Leaf {
	var keys []weighed
	for _, m := range c.members {
		for _, r := range m.routes {
			if r.kind != anyPath && c.area.PathFrom <= r.literal && (c.area.PathTo == "" || r.literal < c.area.PathTo) {
				keys = append(keys, weighed{r.literal, 1})
			}
		}
	}
	leaves := []Leaf{{Host: c.area.HostFrom, Path: c.area.PathFrom}}
	for _, at := range quantiles(keys, n) {
		leaves = append(leaves, Leaf{Host: c.area.HostFrom, Path: at})
	}
	return leaves
}

// byHostPath cuts c by host, and by path what is then still more than twice as
// large as it should be.
func (c *contents) byHostPath(n int) []Leaf {
	var leaves []Leaf
	aim := max(leafMin, c.number.entries()/n)
	hosts := c.byHost(n)
	numbers := c.count(hosts)
	s := &Split{Leaves: hosts}
	for i, l := range hosts {
		if size := numbers[i].entries(); size > 2*aim {
			leaves = append(leaves, c.within(s.area(i)).byPath(min(n, size/aim))...)
		} else {
			leaves = append(leaves, l)
		}
	}
	return leaves
}

// quantiles is where to cut between keys, so that at most n ranges come out,
// about as heavy as each other. A cut is no longer than it must be to stand
// between two keys, and can be written in a listener.
func quantiles(keys []weighed, n int) (cuts []string) {
	slices.SortFunc(keys, func(a, b weighed) int { return cmp.Compare(a.key, b.key) })
	total, before, last := 0, 0, 0
	for _, k := range keys {
		total += k.weight
	}
	n = min(n, total/leafMin)
	first := true
	for i := 0; i < len(keys); {
		j, weight := i, 0
		for j < len(keys) && keys[j].key == keys[i].key {
			weight += keys[j].weight
			j++
		}
		if weight > 0 {
			bucket := (2*before + weight) * n / (2 * total)
			if first {
				first, last = false, bucket
			} else if bucket > last {
				if at := between(keys[i-1].key, keys[i].key); Usable(at) {
					cuts, last = append(cuts, at), bucket
				}
			}
			before += weight
		}
		i = j
	}
	return cuts
}

// between is the shortest key after a, up to and including b, where a < b.
func between(a, b string) string {
	for i := range len(b) {
		if i == len(a) || a[i] != b[i] {
			return b[:i+1]
		}
	}
	return b
}
