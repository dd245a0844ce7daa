package shape

import (
	"sort"

	"github.com/deltaplane/deltaplane/resource"
)

// place is a run of Split.Leaves: from first to before end.
type place struct{ first, end int }

// places is where among the leaves a virtual host can win or lose: ascending,
// without overlap. nil for no host.
func (s *Split) places(host *resource.Resource) []place {
	if host == nil || len(s.Leaves) == 0 {
		return nil
	}
	var all []place
	for d := range domains(host) {
		for _, c := range covered(d) {
			p := s.place(c)
			if p.first == 0 && p.end == len(s.Leaves) {
				return []place{p}
			}
			all = append(all, p)
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].first < all[j].first })
	merged := all[:0]
	for _, p := range all {
		if n := len(merged); n > 0 && p.first <= merged[n-1].end {
			merged[n-1].end = max(merged[n-1].end, p.end)
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
		p.end = max(after, sort.Search(len(s.Leaves), func(i int) bool { return s.Leaves[i].Host >= c.to }))
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

// pathsOf is the paths of a group's leaves.
func pathsOf(leaves []Leaf) []span {
	paths := make([]span, len(leaves))
	for i, l := range leaves {
		paths[i].from = l.Path
		if i > 0 {
			paths[i-1].to = l.Path
		}
	}
	return paths
}

// in reports whether places, which are of whole groups, hold a group.
func in(places []place, group place) bool {
	i := sort.Search(len(places), func(i int) bool { return places[i].end > group.first })
	return i < len(places) && places[i].first <= group.first
}

// reaches reports whether a virtual host can win or lose in an area.
func reaches(host *resource.Resource, a Area) bool {
	if host == nil {
		return false
	}
	for d := range domains(host) {
		for _, c := range covered(d) {
			if c.meets(span{a.HostFrom, a.HostTo}) {
				return true
			}
		}
	}
	return false
}
