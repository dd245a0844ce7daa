package view

import (
	"iter"
	"maps"

	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
)

// Held is what a client holds of one type, as far as we know: the part of a
// table that it subscribes to, but for a few names that are marked. When it
// is in sync there are none: a client costs O(1), however many resources it
// has. Held is immutable and two Helds may share everything.
type Held struct {
	base   Table
	mortal Table  // what of base has a TTL
	fresh  bool   // the client was told nothing yet: base counts for nothing
	marks  *marks // nil: none
}

// mark says what is particular about one name.
type mark struct {
	kind   kind
	digest resource.Digest // of what it holds
	held   *Resource       // what it holds; nil if only the digest is known
}

type kind uint8

const (
	absent  kind = iota // the client does not have it, and knows that
	asked               // the client wants an answer, whatever it has
	unknown             // the client may have anything or nothing
	holds               // the client has this
)

// marks is an immutable set of marks, shared by all who have the same.
type marks struct {
	byName  map[string]mark
	bare    bool // none has a held
	lasting bool // no held has a TTL
}

func marksOf(m map[string]mark) *marks {
	if len(m) == 0 {
		return nil
	}
	made := &marks{byName: m, lasting: true}
	for _, one := range m {
		made.lasting = made.lasting && (one.held == nil || one.held.TTL() == 0)
	}
	return made
}

func (m *marks) get(name string) (mark, bool) {
	if m == nil {
		return mark{}, false
	}
	k, ok := m.byName[name]
	return k, ok
}

// held goes through the marks of names of which some content is known to be
// held.
func (m *marks) held() iter.Seq2[string, mark] {
	if m == nil || m.bare {
		return func(func(string, mark) bool) {}
	}
	return maps.All(m.byName)
}

func (m *marks) all() iter.Seq2[string, mark] {
	if m == nil {
		return func(func(string, mark) bool) {}
	}
	return maps.All(m.byName)
}

// Nothing is what a client holds that has just subscribed.
func Nothing() Held { return Held{fresh: true} }

// Resumed is what a client holds that says so itself, as names and versions
// (xDS protocol, initial_resource_versions). Versions that are no digests of
// ours are opaque: the client holds something that equals nothing.
func Resumed(versions map[string]string) Held {
	if len(versions) == 0 {
		return Nothing()
	}
	byName := make(map[string]mark, len(versions))
	for name, version := range versions {
		byName[name] = resumedMark(version)
	}
	return Held{fresh: true, marks: &marks{byName: byName, bare: true, lasting: true}}
}

// InSync reports whether the client has exactly what target has, whatever it
// subscribes to. Cost: O(1).
func (h Held) InSync(target Table) bool {
	return !h.fresh && h.marks == nil && h.base.Hash() == target.Hash()
}

// Asked is h when the client wants these names answered, held or not. It has
// been subscribed to was: of any other name it holds nothing.
func (h Held) Asked(names iter.Seq[string], was *Subscription) Held {
	byName := map[string]mark{}
	if h.marks != nil {
		maps.Copy(byName, h.marks.byName)
	}
	for name := range names {
		m := mark{kind: asked}
		if was.Contains(name) {
			m.held = h.content(name)
		}
		byName[name] = m
	}
	h.marks = marksOf(byName)
	return h
}

// Unknown is h when nobody knows what the client has of these names, besides
// that it may still be what it held before.
func (h Held) Unknown(names iter.Seq[string], before Held) Held {
	byName := map[string]mark{}
	if h.marks != nil {
		maps.Copy(byName, h.marks.byName)
	}
	for name := range names {
		byName[name] = mark{kind: unknown, held: before.content(name)}
	}
	h.marks = marksOf(byName)
	return h
}

// content is what the client holds of name, nil if that is not known.
func (h Held) content(name string) *Resource {
	if m, particular := h.marks.get(name); particular || h.fresh {
		return m.held
	}
	r, _ := h.base.Get(name)
	return r
}

// Doubted is h when the client, subscribed to sub, wants everything anew:
// nobody knows what it has, but it has to be told of what it had and is gone.
// Cost: O(names held).
func (h Held) Doubted(sub *Subscription) Held {
	byName := map[string]mark{}
	if !h.fresh {
		for name, r := range h.base.All() {
			if sub.Contains(name) {
				byName[name] = mark{kind: unknown, held: r}
			}
		}
	}
	for name, m := range h.marks.all() {
		if m.kind == absent {
			delete(byName, name)
			continue
		}
		byName[name] = mark{kind: unknown, held: m.held}
	}
	return Held{fresh: true, marks: marksOf(byName)}
}

// Key identifies h for caches: equal keys mean the same holdings.
type Key struct {
	base  radix.Hash
	fresh bool
	marks *marks
}

// Key is comparable. Cost: O(1).
func (h Held) Key() Key { return Key{h.base.Hash(), h.fresh, h.marks} }

// Kept lists what the client still holds although target lacks it: removals
// that wait. Only resources whose content is known are listed.
func (h Held) Kept(target Table) iter.Seq[*Resource] {
	return func(yield func(*Resource) bool) {
		for name, m := range h.marks.held() {
			if m.held == nil {
				continue
			}
			if _, there := target.Get(name); !there && !yield(m.held) {
				return
			}
		}
	}
}

// Holding is what a client holds that has all of table that it subscribes to.
// mortal is what of table has a TTL.
func Holding(table, mortal Table) Held { return Held{base: table, mortal: mortal} }

// Marked is how many names have something particular: what h costs besides
// the table that it shares.
func (h Held) Marked() int {
	if h.marks == nil {
		return 0
	}
	return len(h.marks.byName)
}

// Fresh reports whether the client was told nothing yet.
func (h Held) Fresh() bool { return h.fresh }

// Plain reports whether the client holds a table that others share, nothing
// is particular about any name, and nothing that it holds has a TTL.
func (h Held) Plain() bool { return !h.fresh && h.marks == nil && h.mortal.Len() == 0 }

// Blank reports whether the client was told nothing yet, and said nothing of
// what it has: it will be sent all that it wants.
func (h Held) Blank() bool { return h.fresh && h.marks == nil }

// Of goes through what the client holds of these names, as far as its content
// is known.
func (h Held) Of(names iter.Seq[string]) iter.Seq[*Resource] {
	return func(yield func(*Resource) bool) {
		for name := range names {
			held := h.content(name)
			if held != nil && !yield(held) {
				return
			}
		}
	}
}

// Has reports whether the client holds some known version of name.
func (h Held) Has(name string) bool { return h.content(name) != nil }

// Owes reports whether the client waits for name, whatever it has.
func (h Held) Owes(name string) bool {
	m, particular := h.marks.get(name)
	return particular && m.kind == asked
}

// Behind goes through what target has and the client, for all that is known,
// does not.
// Cost: O(changes); O(target) for a client that was told nothing yet.
func (h Held) Behind(target Table) iter.Seq2[string, *Resource] {
	base := h.base
	if h.fresh {
		base = Table{}
	}
	return func(yield func(string, *Resource) bool) {
		for name, m := range h.marks.all() {
			want, _ := target.Get(name)
			if want != nil && (m.kind != holds || m.digest != want.Digest()) && !yield(name, want) {
				return
			}
		}
		for c := range radix.Diff(base, target) {
			if _, particular := h.marks.get(c.Key); !particular && c.New != nil && !yield(c.Key, c.New) {
				return
			}
		}
	}
}

// Outdated goes through what the client holds and target has another version
// of, or none. Only resources whose content is known are listed.
// Cost: O(changes).
func (h Held) Outdated(target Table) iter.Seq2[string, *Resource] {
	return func(yield func(string, *Resource) bool) {
		for name, m := range h.marks.held() {
			want, _ := target.Get(name)
			if m.held != nil && (want == nil || m.held.Digest() != want.Digest()) && !yield(name, m.held) {
				return
			}
		}
		if h.fresh {
			return
		}
		for c := range radix.Diff(h.base, target) {
			if _, particular := h.marks.get(c.Key); !particular && c.Old != nil && !yield(c.Key, c.Old) {
				return
			}
		}
	}
}

// Rescoped is h of a Scope when the subscription has become sub: the client
// forgets by itself what it no longer wants. Cost: O(names), with the wildcard
// O(resources).
func (h Held) Rescoped(sub *Subscription) Held {
	if h.fresh {
		return h
	}
	x := Table{}.Txn()
	if sub.wildcard {
		for name, r := range h.base.All() {
			if r.Name() == name {
				x.Put(name, r)
			}
		}
	}
	for _, name := range sub.names {
		if r, ok := h.base.Get(name); ok {
			x.Put(name, r)
			x.Put(r.Name(), r)
		}
	}
	h.base = x.Commit()
	return h
}
