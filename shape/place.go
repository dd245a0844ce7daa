package shape

import (
	"slices"
	"sort"

	"github.com/deltaplane/deltaplane/resource"
)

// place is a run of Split.Leaves: from first to before end.
type place struct{ first, end int }

// covers is where a virtual host can win or lose: the authorities that any of
// its domains covers. Empty for no host.
func covers(host *resource.Resource) []span {
	if host == nil {
		return nil
	}
	var all []span
	for d := range domains(host) {
		all = append(all, covered(d)...)
	}
	return all
}

// places is where among the leaves a virtual host with these covers stands:
// ascending, without overlap.
func (s *Split) places(covers []span) []place {
	if len(s.Leaves) == 0 || len(covers) == 0 {
		return nil
	}
	all := make([]place, 0, len(covers))
	for _, c := range covers {
		all = append(all, s.place(c))
	}
	slices.SortFunc(all, func(a, b place) int { return a.first - b.first })
	merged := all[:1]
	for _, p := range all[1:] {
		if last := &merged[len(merged)-1]; p.first <= last.end {
			last.end = max(last.end, p.end)
		} else {
			merged = append(merged, p)
		}
	}
	return merged
}

// place is the leaves that have authorities of c.
func (s *Split) place(c span) place {
	after := sort.Search(len(s.Leaves), func(i int) bool { return s.Leaves[i].Host > c.from })
	of := s.Leaves[after-1].Host
	p := place{sort.Search(after, func(i int) bool { return s.Leaves[i].Host >= of }), len(s.Leaves)}
	if c.to != "" {
		p.end = sort.Search(len(s.Leaves), func(i int) bool { return s.Leaves[i].Host >= c.to })
	}
	return p
}

// group is the leaves of one range of authorities from the i-th on, of which
// i is one: they divide the paths.
func (s *Split) group(i int) place {
	p := place{i, i + 1}
	for p.end < len(s.Leaves) && s.Leaves[p.end].Host == s.Leaves[i].Host {
		p.end++
	}
	return p
}

// ranges are leaves which divide the paths among them, ascending without gaps.
type ranges struct {
	leaves []Leaf
	end    string // of the last; "" is infinity
}

func (r ranges) of(i int) span {
	if i+1 < len(r.leaves) {
		return span{r.leaves[i].Path, r.leaves[i+1].Path}
	}
	return span{r.leaves[i].Path, r.end}
}

// in reports whether places, which are of whole groups, hold a group.
func in(places []place, group place) bool {
	i := sort.Search(len(places), func(i int) bool { return places[i].end > group.first })
	return i < len(places) && places[i].first <= group.first
}

// reaches reports whether a virtual host with these covers stands in an area.
func reaches(covers []span, a Area) bool {
	return slices.ContainsFunc(covers, func(c span) bool { return c.meets(span{a.HostFrom, a.HostTo}) })
}
