package dir

import "time"

// rest decides when a directory is at rest: nothing has moved in it for a
// while, and nobody has one of its changed files open for writing. Pure: it is
// told the time.
type rest struct {
	settle, blind time.Duration

	last  *listing  // the newest; nil: anything is new
	since time.Time // when it was first seen
}

// left is how long the directory must stay as it is until it is at rest, or
// how long to wait before asking again; 0: it is at rest.
func (r *rest) left(at time.Time, now *listing, w writers) time.Duration {
	if r.last == nil || !r.last.equal(now) || w.open != "" {
		r.last, r.since = now, at
	}
	need := r.settle
	if w.unknown {
		need = r.blind
	}
	if w.open != "" {
		return r.settle
	}
	return max(0, need-at.Sub(r.since))
}

// moved notes that the directory was not at rest after all.
func (r *rest) moved() { r.last = nil }
