package view

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/zeebo/xxh3"

	"github.com/deltaplane/deltaplane/internal/invariant"
	"github.com/deltaplane/deltaplane/resource"
)

// Subscription is a set of names, with or without the wildcard, that streams
// share. Names of glob collections (cncf/xds TP1) among them stand for their
// members. It is immutable: those of one Interner are equal exactly when their
// pointers are.
type Subscription struct {
	wildcard bool
	names    []string // sorted, unique, canonical
	globs    []string // those of names that are collections
	key      subscriptionKey
	holders  int // guarded by the Interner
}

// subscriptionKey finds a set in O(1), whatever the order in which it grew.
type subscriptionKey struct {
	wildcard bool
	lo, hi   uint64 // sums of the names' hashes
	n        int
}

// Wildcard reports whether every resource of the type is wanted.
func (s *Subscription) Wildcard() bool { return s.wildcard }

// Names are those that are wanted by name, sorted. Do not change them.
func (s *Subscription) Names() []string { return s.names }

// Named reports whether name itself is in the set.
// Cost: O(log names).
func (s *Subscription) Named(name string) bool {
	_, ok := slices.BinarySearch(s.names, name)
	return ok
}

// Contains reports whether a resource called name is wanted. xdstp:// names
// are wanted by name or by collection only: the wildcard is for those that
// have no other way to be a set.
// Cost: O(log names).
func (s *Subscription) Contains(name string) bool {
	if !resource.IsURN(name) {
		return s.wildcard || s.Named(name)
	}
	return s.Named(name) || len(s.globs) > 0 && s.Named(resource.CollectionOf(name))
}

// Collections are those names that are glob collections, sorted. Do not
// change them.
func (s *Subscription) Collections() []string { return s.globs }

// Interner keeps one Subscription for each set of names in use. Whoever gets a
// Subscription from it holds it until he gives it to Release. Any goroutine
// may call.
type Interner struct {
	mu    sync.Mutex
	sets  map[subscriptionKey][]*Subscription // several only if hashes collide
	names int                                 // in all sets
}

// Of is the subscription to names, in any order, and the wildcard.
// Cost: O(names log names).
func (i *Interner) Of(wildcard bool, names []string) *Subscription {
	return i.With(&Subscription{}, wildcard, names, nil)
}

// With is s plus add and less remove; s stays held. Only add is hashed and
// copied. Cost: O(names), a copy of two words each.
func (i *Interner) With(s *Subscription, wildcard bool, add, remove []string) *Subscription {
	next := &Subscription{wildcard: wildcard, names: s.names, key: s.key}
	next.key.wildcard = wildcard
	next.remove(remove)
	fresh := next.insert(add)
	next.key.n = len(next.names)
	return i.hold(next, fresh)
}

// remove takes names out of s, which is not shared yet but for its names.
func (s *Subscription) remove(names []string) {
	drop := make(map[string]bool, len(names))
	for _, name := range names {
		if s.Named(name) && !drop[name] {
			drop[name] = true
			h := xxh3.HashString128(name)
			s.key.lo -= h.Lo
			s.key.hi -= h.Hi
		}
	}
	if len(drop) > 0 {
		s.names = slices.DeleteFunc(slices.Clone(s.names), func(name string) bool { return drop[name] })
	}
}

// insert adds names to s, which is not shared yet but for its names. It
// returns those that s did not have.
func (s *Subscription) insert(names []string) map[string]bool {
	fresh := make(map[string]bool, len(names))
	for _, name := range names {
		if !s.Named(name) && !fresh[name] {
			fresh[name] = true
			h := xxh3.HashString128(name)
			s.key.lo += h.Lo
			s.key.hi += h.Hi
		}
	}
	if len(fresh) > 0 {
		s.names = merge(s.names, slices.Sorted(maps.Keys(fresh)))
	}
	return fresh
}

// merge is the sorted union of two sorted lists without a name in common.
func merge(a, b []string) []string {
	all := make([]string, 0, len(a)+len(b))
	for _, name := range b {
		i, _ := slices.BinarySearch(a, name)
		all = append(append(all, a[:i]...), name)
		a = a[i:]
	}
	return append(all, a...)
}

// hold replaces s by the equal set that is there, if one is. fresh are the
// names that still lie in a request.
func (i *Interner) hold(s *Subscription, fresh map[string]bool) *Subscription {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, known := range i.sets[s.key] {
		if slices.Equal(known.names, s.names) {
			known.holders++
			return known
		}
	}
	for name := range fresh { // do not keep whole requests alive
		n, _ := slices.BinarySearch(s.names, name)
		s.names[n] = strings.Clone(name)
	}
	s.globs = globsIn(s.names)
	if i.sets == nil {
		i.sets = map[subscriptionKey][]*Subscription{}
	}
	s.holders = 1
	i.sets[s.key] = append(i.sets[s.key], s)
	i.names += len(s.names)
	return s
}

// globsIn lists the collections among sorted names.
// Cost: O(log names), and O(1) for each xdstp:// name.
func globsIn(names []string) (globs []string) {
	first, _ := slices.BinarySearch(names, resource.URNScheme)
	for _, name := range names[first:] {
		if !resource.IsURN(name) {
			break
		}
		if resource.IsCollection(name) {
			globs = append(globs, name)
		}
	}
	return globs
}

// Release gives s back. nil is allowed.
func (i *Interner) Release(s *Subscription) {
	if s == nil {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	s.holders--
	invariant.Check(s.holders >= 0, "subscription to %d names released more often than held", len(s.names))
	if s.holders > 0 {
		return
	}
	i.names -= len(s.names)
	left := slices.DeleteFunc(i.sets[s.key], func(known *Subscription) bool { return known == s })
	if len(left) == 0 {
		delete(i.sets, s.key)
	} else {
		i.sets[s.key] = left
	}
}

// Names counts the names in all sets; a set that many hold counts once.
func (i *Interner) Names() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.names
}
