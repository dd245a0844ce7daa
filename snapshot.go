package deltaplane

import (
	"crypto/sha256"
	"iter"
	"time"

	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
)

// Version counts commits: the first is 1, the empty store is 0. It orders
// history; what goes on the wire is digests.
type Version uint64

// Entry is a resource as the store holds it. It is immutable.
//
// A RouteConfiguration is held as a shell without hosts, and each of its
// virtual hosts as an Entry of type VirtualHost in the same namespace.
type Entry struct {
	Resource *resource.Resource
	Owner    string  // "cli:ana", "files:/etc/gateway": who may change it; "": anybody
	Inline   bool    // a virtual host that stood inside its route configuration
	Since    Version // the commit that gave it this content; not part of Sum

	// Splits say how a route configuration with its hosts is served in parts: one
	// for each set of options that its fleets ask for, the first is that of the
	// fleet that counts first; none: it is not. No two leaves have the same ID,
	// unless they cover the same. Past is how a fleet's proxies may have got large
	// tables before. The store decides both: what a Batch puts is ignored.
	Splits []*shape.Split
	Past   []PastShape

	sum [sha256.Size]byte // Sum, when the store made the entry; else zero
}

// entryDomain starts what is hashed for an entry, apart from all other hashes.
// Replicas of different builds compare these sums: never change what is hashed
// under the same domain.
const entryDomain = "entry-1\x00"

// Sum covers content, owner, Inline, Splits and Past.
func (e *Entry) Sum() [32]byte {
	if e.sum != [sha256.Size]byte{} {
		return e.sum
	}
	b := make([]byte, 0, 96)
	b = append(b, entryDomain...)
	digest := e.Resource.Digest()
	b = append(b, digest[:]...)
	if e.Inline {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	b = append(b, e.Owner...)
	for _, s := range e.Splits {
		split := splitSum(s)
		b = append(append(b, 0), split[:]...) // an owner has no NUL
	}
	if len(e.Past) > 0 {
		past := pastSum(e.Past)
		b = append(append(b, 0), past[:]...) // what has a past has no splits
	}
	return sha256.Sum256(b)
}

// sealed is a copy of e that knows its Sum.
func (e Entry) sealed() *Entry {
	e.sum = [sha256.Size]byte{}
	e.sum = e.Sum()
	return &e
}

// Snapshot is the whole store at one version. It is immutable.
type Snapshot struct {
	version Version
	time    time.Time
	tree    radix.Tree[*Entry]
}

// NewSnapshot is for tests and for embedders that have no Store.
func NewSnapshot(v Version, at time.Time, tree radix.Tree[*Entry]) *Snapshot {
	return &Snapshot{v, at, tree}
}

// Version is the commit that the snapshot is the state after.
func (s *Snapshot) Version() Version { return s.version }

// Time is when that commit was made, by the committer's clock.
func (s *Snapshot) Time() time.Time { return s.time }

// Tree maps Key.Path to entries. Its hash is the same on every replica.
func (s *Snapshot) Tree() radix.Tree[*Entry] { return s.tree }

// Get looks one key up.
func (s *Snapshot) Get(k Key) (*Entry, bool) { return s.tree.Get(k.Path()) }

// List goes through one namespace's resources of one type, by name.
func (s *Snapshot) List(namespace string, t resource.Type) iter.Seq2[Key, *Entry] {
	return func(yield func(Key, *Entry) bool) {
		for path, e := range s.tree.Prefix(TypePrefix(namespace, t)) {
			if !yield(KeyOf(path), e) {
				return
			}
		}
	}
}
