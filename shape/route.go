package shape

import (
	"sort"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// route is where one route can match. All the rest of its conditions (headers,
// queries, the method) narrow that further, and are left to Envoy.
type route struct {
	kind    pathKind
	literal string
	whole   []byte // with tag, as it stands in its host
}

// pathKind says which paths a route can match. A literal covers itself with
// parameters behind it, too, though it does not match these: a table that
// ignores path parameters goes out whole (see pathParameters).
type pathKind uint8

const (
	anyPath       pathKind = iota // any, or nobody knows
	prefixPath                    // what begins with the literal
	exactPath                     // the literal, and that with parameters
	separatedPath                 // the literal alone, or with parameters or more segments after it
)

// readRoute reads a Route's bytes, where whole is the field that they stand in.
func readRoute(b, whole []byte) route {
	r := route{whole: whole}
	for f := range fields(b) {
		if f.number == routeMatch {
			r.kind, r.literal = readMatch(f.value)
		}
	}
	return r
}

// readMatch is what a RouteMatch says of paths.
func readMatch(b []byte) (kind pathKind, literal string) {
	insensitive := false
	for f := range fields(b) {
		switch f.number {
		case matchPrefix:
			kind, literal = prefixPath, string(f.value)
		case matchPath:
			kind, literal = exactPath, string(f.value)
		case matchSeparated:
			kind, literal = separatedPath, string(f.value)
		case matchCase:
			insensitive = !isTrue(f.value)
		}
	}
	if insensitive || kind == prefixPath && literal == "" {
		return anyPath, ""
	}
	return kind, literal
}

// isTrue is the value of a marshalled BoolValue.
func isTrue(b []byte) bool {
	value := uint64(0)
	for f := range fields(b) {
		if f.number == boolValue {
			value, _ = protowire.ConsumeVarint(f.value)
		}
	}
	return value != 0
}

// What follows a literal: parameters, or for a separated prefix anything from
// "/" to ";". The end is the first byte after these.
const (
	parameters    = ';'
	endParameters = ';' + 1
)

// meets reports whether the route can match a path in [from, to).
func (r *route) meets(from, to string) bool {
	switch r.kind {
	case prefixPath:
		return (to == "" || r.literal < to) && (from <= r.literal || strings.HasPrefix(from, r.literal))
	case exactPath:
		return from <= r.literal && (to == "" || r.literal < to) ||
			(to == "" || compareWith(r.literal, parameters, to) < 0) && compareWith(r.literal, endParameters, from) > 0
	case separatedPath:
		return (to == "" || r.literal < to) && compareWith(r.literal, endParameters, from) > 0
	}
	return true
}

// covers is a range around all that the route can match.
func (r *route) covers() span {
	switch r.kind {
	case prefixPath:
		return under(r.literal)
	case exactPath, separatedPath:
		return span{r.literal, r.literal + string(rune(endParameters))}
	}
	return span{}
}

// compareWith compares s followed by c with other.
func compareWith(s string, c byte, other string) int {
	if len(other) <= len(s) {
		if s < other {
			return -1
		}
		return 1 // s is other or has it as a prefix, and then comes c; or is greater
	}
	if d := strings.Compare(s, other[:len(s)]); d != 0 {
		return d
	}
	switch next := other[len(s)]; {
	case c != next:
		return int(c) - int(next)
	case len(other) > len(s)+1:
		return -1
	}
	return 0
}

// ranges is which of some ranges of paths the route can match in, where they
// ascend without gaps and the last has no end: two runs of them, either of which
// may be empty. Hosts do not matter.
func (r *route) ranges(paths []Leaf) [2]place {
	if r.kind == anyPath {
		return [2]place{{0, len(paths)}}
	}
	// after is the first range that begins after everything below.
	after := func(below func(from string) bool) int {
		return sort.Search(len(paths), func(i int) bool { return !below(paths[i].Path) })
	}
	at := after(func(from string) bool { return from <= r.literal }) - 1
	tail := func(from string) bool { return compareWith(r.literal, endParameters, from) > 0 }
	switch r.kind {
	case prefixPath:
		return [2]place{{max(at, 0), after(func(from string) bool { return from <= r.literal || strings.HasPrefix(from, r.literal) })}}
	case separatedPath:
		return [2]place{{max(at, 0), after(tail)}}
	}
	first := after(func(from string) bool { return compareWith(r.literal, parameters, from) >= 0 }) - 1
	return [2]place{{max(at, 0), at + 1}, {max(first, at+1), max(after(tail), at+1)}}
}
