package resource

import (
	"slices"

	"github.com/zeebo/xxh3"
)

// routeIndex is what a patch remembers of the routes in one segment of a
// large VirtualHost, so that the next one reads the segment of its route and
// no other. It goes with the segment from each resource to those that are
// patched from it, and costs 8 bytes for each route.
type routeIndex struct {
	count int
	names []uint64 // hashes of their names, ascending
}

// has reports whether a route may have this name.
func (x *routeIndex) has(name uint64) bool {
	_, found := slices.BinarySearch(x.names, name)
	return found
}

// routesIn is what is known of one of the resource's segments, which is read
// the first time; nil if it is the only one, or no run of routes: these are
// short.
func (s *splice) routesIn(segment int) *routeIndex {
	one := &s.segments[segment]
	if one.routes != nil {
		return one.routes
	}
	if len(s.segments) == 1 || !s.isRun(*one) {
		return nil
	}
	x := &routeIndex{names: make([]uint64, 0, 2*segmentElements)}
	for content := range s.contents(one.Bytes) {
		x.names = append(x.names, xxh3.Hash(routeNameOf(content)))
		x.count++
	}
	slices.Sort(x.names)
	one.routes = x
	return x
}

// findRoute is find for the route of a name, other than the one at an index.
// Cost: the segments that may have it, and O(segments).
func (s *splice) findRoute(name string, except int) (at spot, found bool) {
	hash := xxh3.HashString(name)
	return s.search(
		func(x *routeIndex, _ int) bool { return x.has(hash) },
		func(i int, content []byte) bool { return i != except && string(routeNameOf(content)) == name },
	)
}

// routeNumber is find for the route at an index.
// Cost: the segment that has it, and O(segments).
func (s *splice) routeNumber(index int) (at spot, found bool) {
	return s.search(
		func(x *routeIndex, first int) bool { return first <= index && index < first+x.count },
		func(i int, _ []byte) bool { return i == index },
	)
}
