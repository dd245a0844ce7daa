package shape

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"sort"
	"strings"
	"time"
)

// Header is the request header that names a request's leaf. What a client
// sends under this name is removed, and backends do not see it.
const Header = "x-deltaplane-shape"

// Prefix starts the names of all that a split adds: scopes and route
// configurations.
const Prefix = "deltaplane/shape/"

// By says what a table is split by.
type By uint8

const (
	ByAuto     By = iota // whichever of the others fits the table best
	ByHost               // ranges of authorities
	ByPath               // ranges of paths, for all authorities
	ByHostPath           // ranges of authorities, and of paths where one of these is too large
)

// String is how users write by: best for ByAuto.
func (by By) String() string {
	switch by {
	case ByHost:
		return "host"
	case ByPath:
		return "path"
	case ByHostPath:
		return "host+path"
	}
	return "best"
}

// Options are what users say of a table's shape. The zero value is not valid:
// see Defaults.
type Options struct {
	Shards      int     // leaves to aim for, 2 to 4096
	By          By      // what to split by
	Duplication float64 // routes and domains of all leaves, at most, in relation to those of the table, from 1
}

// Defaults are the options of a table of which nobody has said anything.
func Defaults() Options { return Options{Shards: 256, By: ByAuto, Duplication: 2} }

// Threshold is from how many routes on a table is split.
const Threshold = 500

// Split divides a table's key space. It is immutable. Without leaves the table
// goes out as written, but for what Retired leaves are still needed for.
type Split struct {
	Options Options
	// Leaves are ascending by Host, then Path. The first begins at ("", ""),
	// and so does each first leaf of a Host at Path "".
	Leaves []Leaf
	// Retired leaves are no longer led to by new listeners. They are kept, and
	// kept up to date, for connections that drain.
	Retired []Retired
	// Next is the ID of the next new leaf: none is used twice for a table.
	Next uint32
	// Size is how many routes and domains the table had when it was last
	// considered as a whole: divided, or found not to be worth it.
	Size uint32
	// Made is the store's version that had it first, however it has changed
	// since; 0 if that is long ago, or nobody asks.
	Made uint64
}

// Leaf is a range of the key space: the authorities from Host up to the next
// leaf's other Host, and of these the paths from Path up to the next leaf's
// Path of the same Host. Both compare as bytes; Host is lower case.
type Leaf struct {
	ID   uint32
	Host string
	Path string
	// Size is how many routes and domains it had when it was made, or when it was
	// last found that it can't be cut.
	Size uint32
}

// Retired is a leaf of the past.
type Retired struct {
	ID    uint32
	Area  Area
	Since time.Time // when it stopped being one of Leaves
}

// Area is a rectangle of the key space: [HostFrom, HostTo) × [PathFrom,
// PathTo). An empty end is infinity.
type Area struct {
	HostFrom, HostTo string
	PathFrom, PathTo string
}

// Areas calls visit with every leaf and what it covers: those of Leaves in
// their order, then the retired ones.
func (s *Split) Areas(visit func(id uint32, a Area)) {
	for i, l := range s.Leaves {
		visit(l.ID, s.area(i))
	}
	for _, r := range s.Retired {
		visit(r.ID, r.Area)
	}
}

// area is what the i-th of Leaves covers.
func (s *Split) area(i int) Area {
	l := s.Leaves[i]
	a := Area{HostFrom: l.Host, PathFrom: l.Path}
	if i+1 < len(s.Leaves) && s.Leaves[i+1].Host == l.Host {
		a.PathTo = s.Leaves[i+1].Path
	}
	for _, next := range s.Leaves[i+1:] {
		if next.Host != l.Host {
			a.HostTo = next.Host
			break
		}
	}
	return a
}

// Find is the leaf that a request leads to, by the authority as Envoy's
// routing sees it and the path without its query.
func (s *Split) Find(host, path string) uint32 {
	host = lower(host)
	end := sort.Search(len(s.Leaves), func(i int) bool { return s.Leaves[i].Host > host })
	of := s.Leaves[end-1].Host
	from := sort.Search(end, func(i int) bool { return s.Leaves[i].Host >= of })
	n := sort.Search(end-from, func(i int) bool { return s.Leaves[from+i].Path > path })
	return s.Leaves[from+n-1].ID
}

// Name is what a leaf's route configuration and scope are called.
func Name(table string, id uint32) string { return fmt.Sprintf("%s%s/%d", Prefix, table, id) }

// TableOf is the inverse of Name.
func TableOf(name string) (table string, ok bool) {
	rest, ok := strings.CutPrefix(name, Prefix)
	end := strings.LastIndexByte(rest, '/')
	if !ok || end < 0 {
		return "", false
	}
	return rest[:end], true
}

// Key is the value of Header that leads to a leaf. It differs between tables,
// for an Envoy keeps the scopes of all of them together.
func Key(table string, id uint32) string { return fmt.Sprint(keyStart(table), id) }

// keyStart is what the keys of all of a table's leaves begin with.
func keyStart(table string) string {
	sum := sha256.Sum256([]byte(table))
	return keyEncoding.EncodeToString(sum[:8]) + "-"
}

var keyEncoding = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)
