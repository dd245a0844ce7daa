// Package radix is a persistent Merkle radix tree: immutable, with structure
// shared between versions, each node carrying a hash of all that is under it.
package radix

import "iter"

// Hash is the SHA-256 of a subtree. It depends on the keys and values alone,
// never on the order in which they came.
type Hash [32]byte

// Value is what a tree holds. Sum identifies its content: values with equal
// sums are interchangeable.
type Value interface{ Sum() [32]byte }

// Tree maps string keys to values in ascending byte order. The zero Tree is
// empty. A Tree never changes: any number of goroutines may read it.
type Tree[V Value] struct {
	root *node[V]
	size int
}

type node[V Value] struct{}

func (t Tree[V]) Len() int                    { return t.size }
func (t Tree[V]) Hash() Hash                  { panic("contract") } // O(1); zero when empty
func (t Tree[V]) Get(key string) (V, bool)    { panic("contract") }
func (t Tree[V]) Put(key string, v V) Tree[V] { panic("contract") }
func (t Tree[V]) Delete(key string) Tree[V]   { panic("contract") }

// All and Prefix go in ascending key order, with whole keys.
func (t Tree[V]) All() iter.Seq2[string, V]            { panic("contract") }
func (t Tree[V]) Prefix(p string) iter.Seq2[string, V] { panic("contract") }

// Txn is a set of changes to a tree, for one goroutine; nodes that it made
// are changed in place and hashed once, by Commit.
type Txn[V Value] struct{ root *node[V] }

func (t Tree[V]) Txn() *Txn[V]             { panic("contract") }
func (x *Txn[V]) Get(key string) (V, bool) { panic("contract") }
func (x *Txn[V]) Put(key string, v V)      { panic("contract") }
func (x *Txn[V]) Delete(key string) bool   { panic("contract") }
func (x *Txn[V]) Commit() Tree[V]          { panic("contract") }

// Change is one key that differs: added without Old, removed without New.
type Change[V Value] struct {
	Key            string
	Old, New       V
	HasOld, HasNew bool
}

// Diff lists what turns a into b, ascending by key.
// Cost: changed leaves times depth; equal hashes stop the walk.
func Diff[V Value](a, b Tree[V]) iter.Seq[Change[V]] { panic("contract") }

// DiffPrefix is Diff of the keys that start with p.
func DiffPrefix[V Value](a, b Tree[V], p string) iter.Seq[Change[V]] { panic("contract") }
