package source

import (
	"slices"
	"sync"
	"time"

	"github.com/deltaplane/deltaplane/resource"
)

// maxTold bounds the problems that a Status holds.
const maxTold = 100

// Board shows how all sources stand. Its methods may be called from any
// goroutine. The zero Board has no sources.
type Board struct {
	mu      sync.Mutex // guards what follows, and the reports' statuses
	reports []*Report
	changed chan struct{}
}

// Report is one source's place on a Board.
type Report struct {
	board  *Board
	counts counts
	status Status
}

// Add gives a source its place.
func (b *Board) Add(id Identity) *Report {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := &Report{board: b, counts: counts{}, status: Status{Identity: id, State: Starting, Since: time.Now()}}
	b.reports = append(b.reports, r)
	b.changedLocked()
	return r
}

// Statuses lists all sources in the order in which they were added.
func (b *Board) Statuses() []Status {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]Status, len(b.reports))
	for i, r := range b.reports {
		all[i] = r.status
	}
	return all
}

// Changed closes when any status changes.
func (b *Board) Changed() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.changed == nil {
		b.changed = make(chan struct{})
	}
	return b.changed
}

func (b *Board) changedLocked() {
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
}

// Status is the report's own.
func (r *Report) Status() Status {
	r.board.mu.Lock()
	defer r.board.mu.Unlock()
	return r.status
}

// Become notes a new state with what there is to say about it; more changes
// further fields and may be nil. The time of a state that goes on is kept.
func (r *Report) Become(state State, problems resource.Problems, more func(*Status)) {
	r.board.mu.Lock()
	defer r.board.mu.Unlock()
	if r.status.State != state {
		r.status.State, r.status.Since = state, time.Now()
	}
	r.status.Problems = told(problems)
	if more != nil {
		more(&r.status)
	}
	r.board.changedLocked()
}

// told is a copy of the first problems.
func told(problems resource.Problems) resource.Problems {
	return slices.Clone(problems[:min(len(problems), maxTold)])
}
