package deltaplane

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/deltaplane/deltaplane/internal/storepb"
)

// maxGroup is how many commits share one transaction at most.
const maxGroup = 32

// request is one call of Commit on its way through the writer.
type request struct {
	ctx    context.Context
	change func(*Batch) error
	span   CommitSpan   // nil: not traced
	done   chan outcome // holds one
}

// outcome is what a call of Commit ends with.
type outcome struct {
	version Version
	made    *draft // nil when there was nothing to commit
	err     error
	panic   any // of change, for its caller
}

// Commit runs change on the latest snapshot and publishes the result as one
// new version, by compare-and-swap of the head. When another writer was
// faster it runs change again on the newer snapshot, so change must have no
// effects beyond its Batch, and must not call Commit. Concurrent small commits
// share a transaction. An empty batch makes no version. It returns once the
// commit is durable and Latest shows it.
//
// An error of change is returned as it is. ErrUnavailable means that etcd did
// not answer in time: the text says whether the commit may still turn up.
// When ctx ends first the outcome is unknown, unless change has not run yet.
// Cost: O(changes) and one round trip to etcd; large commits take more.
func (s *Store) Commit(ctx context.Context, change func(*Batch) error) (Version, error) {
	ctx, span := s.trace(ctx)
	r := &request{ctx, change, span, make(chan outcome, 1)}
	o := s.await(r)
	s.ended(r, o)
	if o.panic != nil {
		panic(o.panic)
	}
	return o.version, o.err
}

// await hands r to the writer and waits for the outcome.
func (s *Store) await(r *request) outcome {
	select {
	case s.requests <- r:
	case <-r.ctx.Done():
		return outcome{err: context.Cause(r.ctx)}
	case <-s.closing:
		return outcome{err: ErrClosed}
	}
	began := time.Now()
	select {
	case o := <-r.done:
		if o.panic == nil {
			s.metrics.commit(o.err, time.Since(began))
		}
		return o
	case <-r.ctx.Done():
		return outcome{err: fmt.Errorf("the commit may still be made, as \"deltaplane history\" will tell: %w", context.Cause(r.ctx))}
	}
}

// write is the goroutine that makes all of this store's commits.
func (s *Store) write(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-s.requests:
			s.commitAll(ctx, s.gather(r))
		}
	}
}

// gather adds who else waits by now.
func (s *Store) gather(first *request) []*request {
	group := []*request{first}
	for len(group) < maxGroup {
		select {
		case r := <-s.requests:
			group = append(group, r)
		default:
			return group
		}
	}
	return group
}

// commitAll commits the requests in order, in as few transactions as they
// fit, and again after each conflict.
func (s *Store) commitAll(ctx context.Context, waiting []*request) {
	for len(waiting) > 0 {
		p := propose(s.position(), waiting, s.tables, s.clock.wall())
		began := time.Now()
		err := s.confirm(ctx, p)
		if err == nil {
			err = s.submit(ctx, p)
		}
		p.stored(began, err)
		if errors.Is(err, errOvertaken) {
			s.metrics.conflicts.Inc()
			if err = s.catchUp(ctx, p.base.snapshot); err == nil {
				continue
			}
		}
		if err == nil && len(p.drafts) > 0 {
			s.metrics.grouped.Observe(float64(len(p.drafts)))
		}
		for i, o := range p.outcomes {
			if err != nil {
				o = outcome{err: err}
			}
			waiting[i].done <- o
		}
		waiting = waiting[len(p.outcomes):]
	}
}

// proposal is a run of commits for one transaction.
type proposal struct {
	base     position
	drafts   []*draft
	outcomes []outcome // one per request, once the transaction is durable

	records [][]byte // of the drafts
	values  []blob   // for the transaction itself
	staged  []blob   // for transactions before it
	bytes   int      // of records and values
	ops     int      // of the transaction
}

// propose runs the requests in turn, each on what the one before it left,
// until the transaction is full or all have run. now is the time of the commits.
func propose(base position, waiting []*request, t *tables, now time.Time) *proposal {
	p := &proposal{base: base, ops: 1}
	on := base.snapshot
	for _, r := range waiting {
		if p.bytes > txnBytes/2 || p.ops > txnOps/2 {
			break
		}
		d, o := r.run(on, t, now)
		if d != nil {
			if o.err = p.add(d); o.err == nil {
				on = d.snapshot
			}
		}
		p.outcomes = append(p.outcomes, o)
	}
	return p
}

// run calls change. A request that is no longer waited for does not run.
func (r *request) run(base *Snapshot, t *tables, now time.Time) (d *draft, o outcome) {
	defer func() {
		if v := recover(); v != nil {
			d, o = nil, outcome{panic: v}
		}
	}()
	if err := context.Cause(r.ctx); err != nil {
		return nil, outcome{err: err}
	}
	b := newBatch(base)
	if err := r.change(b); err != nil {
		return nil, outcome{err: err}
	}
	d, err := draftOf(b, t, now)
	if err != nil || d == nil {
		return nil, outcome{version: base.version, err: err}
	}
	return d.linked(r.span), outcome{version: d.snapshot.version, made: d}
}

// add puts d into the transaction: its values too as long as there is room.
func (p *proposal) add(d *draft) error {
	record, err := encode(d.record)
	if err != nil {
		return err
	}
	p.drafts, p.records = append(p.drafts, d), append(p.records, record)
	p.bytes += len(record)
	p.ops++
	for _, v := range d.values {
		n := chunks(len(v.bytes))
		if p.bytes+len(v.bytes) > txnBytes || p.ops+n > txnOps-maxGroup {
			p.staged = append(p.staged, v)
			continue
		}
		p.values = append(p.values, v)
		p.bytes += len(v.bytes)
		p.ops += n
	}
	return nil
}

// last is the state after the proposal.
func (p *proposal) last() *Snapshot { return p.drafts[len(p.drafts)-1].snapshot }

// head is the Head after the proposal.
func (p *proposal) head() *storepb.Head {
	last := p.last()
	root := last.tree.Hash()
	return &storepb.Head{Format: layoutFormat, Version: uint64(last.version), Root: root[:]}
}
