package radix

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"

	"github.com/deltaplane/deltaplane/internal/invariant"
)

// Hash is the SHA-256 of a subtree. It depends on the keys and values alone,
// never on the order in which they came. The zero Hash stands for no content.
type Hash [sha256.Size]byte

// IsZero reports whether h stands for no content.
func (h Hash) IsZero() bool { return h == Hash{} }

// String is h in lower-case hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// A node is hashed as
//
//	domain, 0 | 1 value-sum, count, { length, prefix, hash } per child
//
// with numbers as uvarints. The start keeps it apart from every other SHA-256
// in the system; each part says its own length, so no two nodes encode alike.
// Replicas of different builds compare these hashes: never change the encoding
// under the same domain.
const domain = "radix-1\x00"

// hasher hashes the dirty nodes of one Txn.
type hasher[V Value] struct{ buf []byte }

// clean hashes n and all dirty nodes below it.
func (h *hasher[V]) clean(n *node[V], root bool) {
	if !n.dirty {
		return
	}
	for _, c := range n.children {
		h.clean(c, false)
	}
	if invariant.Enabled {
		n.check(root)
	}
	if cap(n.children) > len(n.children) {
		n.children = append(make([]*node[V], 0, len(n.children)), n.children...)
	}
	b := h.buf[:0]
	b = append(b, domain...)
	if n.has {
		sum := n.value.Sum()
		b = append(append(b, 1), sum[:]...)
	} else {
		b = append(b, 0)
	}
	b = binary.AppendUvarint(b, uint64(len(n.children)))
	for _, c := range n.children {
		b = appendChild(b, c.prefix, c.hash)
	}
	n.hash, n.dirty, h.buf = sha256.Sum256(b), false, b
}

func appendChild(b []byte, prefix string, hash Hash) []byte {
	b = binary.AppendUvarint(b, uint64(len(prefix)))
	b = append(b, prefix...)
	return append(b, hash[:]...)
}

// hashOfChain is the hash of a node without value whose only child is given.
func hashOfChain(prefix string, hash Hash) Hash {
	b := make([]byte, 0, 128)
	b = append(b, domain...)
	b = append(b, 0, 1)
	return sha256.Sum256(appendChild(b, prefix, hash))
}

// check panics unless n has the one shape that its content allows.
func (n *node[V]) check(root bool) {
	invariant.Check(root == (n.prefix == ""), "root %v has prefix %q", root, n.prefix)
	invariant.Check(n.has || len(n.children) > 1 || root && len(n.children) == 1,
		"node %q without value has %d children", n.prefix, len(n.children))
	invariant.Check(slices.IsSortedFunc(n.children, func(a, b *node[V]) int {
		return int(a.prefix[0]) - int(b.prefix[0])
	}), "children of %q are not sorted", n.prefix)
	for i, c := range n.children {
		invariant.Check(!c.dirty, "child %q of %q is dirty", c.prefix, n.prefix)
		invariant.Check(i == 0 || n.children[i-1].prefix[0] != c.prefix[0],
			"children of %q share the byte %q", n.prefix, c.prefix[0])
	}
}
