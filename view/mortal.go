package view

import (
	"iter"
	"time"

	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
)

// mortalTxn keeps the table of what has a TTL while another table changes.
type mortalTxn map[resource.Type]*radix.Txn[*Resource]

// set notes that name's entry is now r, nil for none.
func (x mortalTxn) set(t resource.Type, old Table, name string, r *Resource) {
	if (r == nil || r.TTL() == 0) && old.Len() == 0 && x[t] == nil {
		return // nothing of the type has a TTL
	}
	if x[t] == nil {
		x[t] = old.Txn()
	}
	if r != nil && r.TTL() == 0 {
		r = nil
	}
	put(x[t], name, r)
}

// Mortal goes through what a client holds and must hear of, or it will drop
// it: the content that it holds as far as we know, or if it refused a newer
// one, held before. sub is what it subscribes to.
// Cost: O(resources with a TTL, and marks).
func (h Held) Mortal(sub *Subscription) iter.Seq2[string, *Resource] {
	return func(yield func(string, *Resource) bool) {
		if !h.fresh {
			for name, r := range h.mortal.All() {
				if _, particular := h.marks.get(name); !particular && sub.Contains(name) && !yield(name, r) {
					return
				}
			}
		}
		for name, m := range h.marks.held() {
			if m.held != nil && m.held.TTL() > 0 && sub.Contains(name) && !yield(name, m.held) {
				return
			}
		}
	}
}

// Immortal reports whether nothing that h holds can have a TTL: not true of
// all that have none. Cost: O(1).
func (h Held) Immortal() bool { return (h.marks == nil || h.marks.lasting) && h.mortal.Len() == 0 }

// TTLs lists the different TTLs of what h holds. Cost: that of Mortal.
func (h Held) TTLs(sub *Subscription) map[time.Duration]bool {
	var found map[time.Duration]bool
	for _, r := range h.Mortal(sub) {
		if found == nil {
			found = map[time.Duration]bool{}
		}
		found[r.TTL()] = true
	}
	return found
}
