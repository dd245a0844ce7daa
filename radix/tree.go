// Package radix is a persistent Merkle radix tree: immutable, with structure
// shared between versions, each node carrying a hash of all that is under it.
//
// Keys are strings of any bytes, the empty one included, and branch byte by
// byte; chains without a branch are compressed. There is one shape for each
// content, so that equal hashes mean equal contents however they came about.
// Trees recurse to a depth of at most the length of their longest key.
package radix

// Value is what a tree holds. Sum identifies its content: values with equal
// sums are interchangeable. Sum must not change while a tree holds the value.
type Value interface{ Sum() [32]byte }

// Tree maps string keys to values in ascending byte order. The zero Tree is
// empty. A Tree never changes: any number of goroutines may read it.
// Trees that compare equal with == have the same content; the reverse is
// what Hash is for.
type Tree[V Value] struct {
	root *node[V] // nil when empty; its prefix is ""
	size int
}

// Len is the number of keys. Cost: O(1).
func (t Tree[V]) Len() int { return t.size }

// Hash identifies the tree's content; it is zero when the tree is empty.
// Cost: O(1).
func (t Tree[V]) Hash() Hash {
	if t.root == nil {
		return Hash{}
	}
	return t.root.hash
}

// PrefixHash identifies what is under p: it is the Hash of a tree that holds
// the keys which start with p, without that start. It is zero when there are
// none, and the tree's own Hash when p is "". Cost: O(len(p)).
func (t Tree[V]) PrefixHash(p string) Hash {
	c := t.seek(p)
	switch {
	case c.node == nil:
		return Hash{}
	case c.rest == "":
		return c.node.hash
	}
	return hashOfChain(c.rest, c.node.hash)
}

// Get returns the value at key. Cost: O(len(key)); it does not allocate.
func (t Tree[V]) Get(key string) (V, bool) { return get(t.root, key) }

// Put is t with v at key. When t holds an equal value there, the result is t
// itself, sharing every node. Cost: O(len(key)), hashing included.
// For more than one change a Txn is cheaper.
func (t Tree[V]) Put(key string, v V) Tree[V] {
	x := t.Txn()
	x.Put(key, v)
	return x.Commit()
}

// Delete is t without key: t itself when the key is not there.
// Cost: O(len(key)), hashing included.
func (t Tree[V]) Delete(key string) Tree[V] {
	x := t.Txn()
	x.Delete(key)
	return x.Commit()
}

// seek finds what is under p: no node when there is nothing.
func (t Tree[V]) seek(p string) cursor[V] {
	c := cursor[V]{node: t.root}
	for p != "" && c.node != nil {
		i, ok := c.node.find(p[0])
		if !ok {
			return cursor[V]{}
		}
		n := c.node.children[i]
		l := commonPrefix(n.prefix, p)
		switch {
		case l == len(p):
			return cursor[V]{n, n.prefix[l:]}
		case l < len(n.prefix):
			return cursor[V]{}
		}
		c, p = cursor[V]{node: n}, p[l:]
	}
	return c
}
