package deltaplane

import (
	"fmt"
	"strings"
)

// maxNamed is how many keys an error names.
const maxNamed = 10

// disputes collects what a change would take from other owners.
type disputes struct{ lines []string }

// keep reports whether the entry at k stays as it is: because another owner
// has it, which is a dispute unless the content is equal anyway.
func (d *disputes) keep(k Key, old *Entry, w wanted, o Options) bool {
	if o.mayChange(old) {
		return false
	}
	if old.Resource.Digest() != w.resource.Digest() || old.Inline != w.inline {
		d.add(k, old)
	}
	return true
}

// change reports whether o may change or remove the entry at k; if not, it is
// a dispute.
func (d *disputes) change(k Key, old *Entry, o Options) bool {
	if o.mayChange(old) {
		return true
	}
	d.add(k, old)
	return false
}

// mayChange reports whether e is the caller's to change. What an embedder put
// without an owner is anybody's.
func (o Options) mayChange(e *Entry) bool {
	return e.Owner == o.Owner || e.Owner == "" || o.TakeOwnership
}

func (d *disputes) add(k Key, old *Entry) {
	d.lines = append(d.lines, fmt.Sprintf("%s belongs to %q", k, old.Owner))
}

// err is ErrOwned with who owns what; nil without disputes.
func (d *disputes) err() error {
	if len(d.lines) == 0 {
		return nil
	}
	return fmt.Errorf("%s: %w", named(d.lines), ErrOwned)
}

// named joins up to maxNamed lines and counts the others.
func named(lines []string) string {
	if n := len(lines) - maxNamed; n > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(lines[:maxNamed], ", "), n)
	}
	return strings.Join(lines, ", ")
}
