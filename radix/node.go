package radix

import (
	"slices"
)

// node is one branching point, one value, or both.
//
// INVARIANT: a node below the root has a prefix, and a value or at least two
// children; children differ in their first byte and are sorted by it. This
// makes the shape of a tree a function of its content.
//
// A clean node never changes. A dirty one has no hash yet and belongs to the
// one Txn that made it, as Commit cleans all that it publishes; all nodes
// above a dirty one are dirty.
type node[V Value] struct {
	prefix   string // what its keys have beyond its parent's
	hash     Hash   // of value and children, without prefix; valid when clean
	children []*node[V]
	value    V
	has      bool // value is set
	dirty    bool
}

// find returns where the child that starts with label is, or would be.
func (n *node[V]) find(label byte) (int, bool) {
	lo, hi := 0, len(n.children)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if n.children[mid].prefix[0] < label {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(n.children) && n.children[lo].prefix[0] == label
}

// own returns n if it is dirty, else a dirty copy with a child list of its own.
func (n *node[V]) own() *node[V] {
	if n.dirty {
		return n
	}
	c := *n
	c.dirty = true
	c.children = slices.Clone(n.children)
	return &c
}

// relabel returns n under another prefix. The hash does not cover the prefix,
// so a clean node's copy is clean too.
func (n *node[V]) relabel(prefix string) *node[V] {
	if n.dirty {
		n.prefix = prefix
		return n
	}
	c := *n
	c.prefix = prefix
	return &c
}

// get looks key up below n, which may be nil.
func get[V Value](n *node[V], key string) (v V, ok bool) {
	for n != nil {
		if key == "" {
			return n.value, n.has
		}
		i, found := n.find(key[0])
		if !found {
			return v, false
		}
		n = n.children[i]
		if len(key) < len(n.prefix) || key[:len(n.prefix)] != n.prefix {
			return v, false
		}
		key = key[len(n.prefix):]
	}
	return v, false
}

// commonPrefix is the number of bytes in which a and b start alike.
func commonPrefix(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
