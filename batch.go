package deltaplane

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/deltaplane/deltaplane/radix"
)

// maxMessageBytes bounds Author and Message together.
const maxMessageBytes = 64 << 10

// Batch collects the changes of one commit over the snapshot Base. It is for
// one goroutine and is dead when the function that it was handed to returns.
type Batch struct {
	Author  string // who; for the history
	Message string // why; for the history

	base *Snapshot
	txn  *radix.Txn[*Entry]
	err  error // of the first Put that cannot be
}

func newBatch(base *Snapshot) *Batch { return &Batch{base: base, txn: base.tree.Txn()} }

// Base is the snapshot that the batch will follow.
func (b *Batch) Base() *Snapshot { return b.base }

// Get sees the batch's own changes.
func (b *Batch) Get(k Key) (*Entry, bool) { return b.txn.Get(k.Path()) }

// Put sets one entry. An equal one is left alone. Since is set by the store.
// A key that is not valid fails the commit. Cost: O(len(k)).
func (b *Batch) Put(k Key, e Entry) {
	if err := checkEntry(k, e); err != nil {
		b.err = errors.Join(b.err, err)
		return
	}
	path := k.Path()
	e.Since, e.Splits, e.Past = b.base.version+1, nil, nil
	if old, ok := b.base.tree.Get(path); ok {
		e.Splits, e.Past = old.Splits, old.Past
		if old.Resource.Digest() == e.Resource.Digest() {
			e.Since = old.Since
		}
	}
	b.txn.Put(path, e.sealed())
}

// Delete removes one entry and reports whether it was there.
func (b *Batch) Delete(k Key) bool { return b.txn.Delete(k.Path()) }

// checkEntry says why e cannot stand at k: what would break the tree's paths
// or the record's encoding.
func checkEntry(k Key, e Entry) error {
	switch {
	case e.Resource == nil:
		return fmt.Errorf("%s: has no resource", k)
	case k.Type != e.Resource.Type() || k.Name != e.Resource.Name():
		return fmt.Errorf("%s: the resource calls itself %s %q", k, e.Resource.Type().Short(), e.Resource.Name())
	case len(e.Resource.Segments()) == 0:
		return fmt.Errorf("%s: content is no longer kept: %w", k, ErrVersionGone)
	}
	for _, s := range []string{k.Namespace, k.Name, e.Owner} {
		if strings.ContainsRune(s, 0) || !utf8.ValidString(s) {
			return fmt.Errorf("%s: namespace, name and owner must be UTF-8 without NUL", k)
		}
	}
	return nil
}

// finish closes the batch: the tree after it, and what cannot be committed.
func (b *Batch) finish() (radix.Tree[*Entry], error) {
	if b.err != nil {
		return b.base.tree, b.err
	}
	if !utf8.ValidString(b.Author) || !utf8.ValidString(b.Message) {
		return b.base.tree, errors.New("author and message must be UTF-8")
	}
	if n := len(b.Author) + len(b.Message); n > maxMessageBytes {
		return b.base.tree, fmt.Errorf("author and message take %d bytes; the limit is %d", n, maxMessageBytes)
	}
	return b.txn.Commit(), nil
}
