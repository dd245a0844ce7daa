package radix

import "iter"

// All goes through the tree in ascending key order, with whole keys, and
// stops when the loop does.
func (t Tree[V]) All() iter.Seq2[string, V] { return t.Prefix("") }

// Prefix is All of the keys that start with p. It finds the first in
// O(len(p)) and walks nothing else than what it yields.
func (t Tree[V]) Prefix(p string) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		c := t.seek(p)
		if c.node == nil {
			return
		}
		walk(append([]byte(p), c.rest...), c.node, yield)
	}
}

// walk yields all that is under n, whose whole key is path.
// It reports whether to go on.
func walk[V Value](path []byte, n *node[V], yield func(string, V) bool) bool {
	if n.has && !yield(string(path), n.value) {
		return false
	}
	for _, c := range n.children {
		if !walk(append(path, c.prefix...), c, yield) {
			return false
		}
	}
	return true
}
