package radix

import (
	"slices"
	"strings"
)

// Txn is a set of changes to a tree, for one goroutine. Nodes that it made
// are changed in place and hashed once, by Commit. The tree that it started
// from stays as it is.
type Txn[V Value] struct {
	base Tree[V]
	root *node[V]
	size int
}

// Txn starts changes on t. Cost: O(1).
func (t Tree[V]) Txn() *Txn[V] { return &Txn[V]{base: t, root: t.root, size: t.size} }

// Len is the number of keys, the transaction's own changes included.
func (x *Txn[V]) Len() int { return x.size }

// Get sees the transaction's own changes. Cost: O(len(key)).
func (x *Txn[V]) Get(key string) (V, bool) { return get(x.root, key) }

// Put sets key to v. It changes nothing when an equal value is there.
// The key's bytes are copied. Cost: O(len(key)).
func (x *Txn[V]) Put(key string, v V) {
	if x.root == nil {
		x.root = &node[V]{dirty: true}
	}
	x.root = x.put(x.root, key, v)
}

// Delete removes key and reports whether it was there. Cost: O(len(key)).
func (x *Txn[V]) Delete(key string) bool {
	if x.root == nil {
		return false
	}
	n, ok := x.remove(x.root, key)
	if !n.has && len(n.children) == 0 {
		n = nil
	}
	x.root = n
	return ok
}

// Commit hashes what has changed and returns the tree. A transaction that
// ends where it began returns the tree that it began with. It may be used
// further, and then goes on from the tree that was returned.
// Cost: O(changed nodes and their children).
func (x *Txn[V]) Commit() Tree[V] {
	if x.root == nil {
		x.base = Tree[V]{}
		return x.base
	}
	var h hasher[V]
	h.clean(x.root, true)
	if x.base.root == nil || x.base.root.hash != x.root.hash {
		x.base = Tree[V]{x.root, x.size}
	}
	x.root = x.base.root
	return x.base
}

// put returns n with v at key below it: n itself when nothing changes.
func (x *Txn[V]) put(n *node[V], key string, v V) *node[V] {
	if key == "" {
		if n.has && n.value.Sum() == v.Sum() {
			return n
		}
		n = n.own()
		if !n.has {
			x.size++
		}
		n.value, n.has = v, true
		return n
	}
	i, ok := n.find(key[0])
	if !ok {
		n = n.own()
		n.children = slices.Insert(n.children, i, x.leaf(key, v))
		return n
	}
	old := n.children[i]
	l := commonPrefix(old.prefix, key)
	var child *node[V]
	if l == len(old.prefix) {
		child = x.put(old, key[l:], v)
		if child == old && !old.dirty {
			return n
		}
	} else {
		child = x.split(old, l, key[l:], v)
	}
	n = n.own()
	n.children[i] = child
	return n
}

// split cuts old's prefix at l and puts v at rest below the cut.
func (x *Txn[V]) split(old *node[V], l int, rest string, v V) *node[V] {
	fork := &node[V]{prefix: old.prefix[:l], dirty: true}
	tail := old.relabel(old.prefix[l:])
	switch {
	case rest == "":
		x.size++
		fork.value, fork.has = v, true
		fork.children = []*node[V]{tail}
	case rest[0] < tail.prefix[0]:
		fork.children = []*node[V]{x.leaf(rest, v), tail}
	default:
		fork.children = []*node[V]{tail, x.leaf(rest, v)}
	}
	return fork
}

// leaf makes a node for a new key. It clones the prefix, as a substring would
// keep the whole key in memory.
func (x *Txn[V]) leaf(prefix string, v V) *node[V] {
	x.size++
	return &node[V]{prefix: strings.Clone(prefix), value: v, has: true, dirty: true}
}

// remove returns n without key: n itself when the key is not there. What it
// returns may have lost its value and its last children; the caller mends that.
func (x *Txn[V]) remove(n *node[V], key string) (*node[V], bool) {
	if key == "" {
		if !n.has {
			return n, false
		}
		n = n.own()
		var none V
		n.value, n.has = none, false
		x.size--
		return n, true
	}
	i, ok := n.find(key[0])
	if !ok || !strings.HasPrefix(key, n.children[i].prefix) {
		return n, false
	}
	child, ok := x.remove(n.children[i], key[len(n.children[i].prefix):])
	if !ok {
		return n, false
	}
	n = n.own()
	switch {
	case child.has || len(child.children) > 1:
		n.children[i] = child
	case len(child.children) == 1:
		only := child.children[0]
		n.children[i] = only.relabel(child.prefix + only.prefix)
	default:
		n.children = slices.Delete(n.children, i, i+1)
	}
	return n, true
}
