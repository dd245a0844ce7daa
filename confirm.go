package deltaplane

import (
	"context"
	"errors"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// confirm makes sure that a proposal without any commit was made on what is
// stored now, as nothing else asks etcd: errOvertaken when it was not. A
// replica that is behind would otherwise answer "unchanged" or "conflict" to
// what is no longer so.
//
// Without an answer of etcd's, "unchanged" and ErrConflict, which say what is
// stored, end with ErrUnavailable; other refusals stand.
// Cost: one round trip to etcd.
func (s *Store) confirm(ctx context.Context, p *proposal) error {
	if len(p.drafts) > 0 || !p.tells() {
		return nil
	}
	began := time.Now()
	for attempt := 0; ; attempt++ {
		current, err := s.isHead(ctx, p.base)
		if err == nil && !current {
			return errOvertaken
		}
		if err == nil || p.refuses() {
			return nil
		}
		if ctx.Err() != nil {
			return ErrClosed
		}
		s.connected(err)
		if time.Since(began) > patience {
			return fmt.Errorf("%w: nothing was committed, and whether anything had to be is unknown: %w", ErrUnavailable, err)
		}
		if err := backOff(ctx, attempt); err != nil {
			return ErrClosed
		}
	}
}

// isHead reports whether at is what etcd has as the head.
func (s *Store) isHead(ctx context.Context, at position) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, txnTimeout)
	defer cancel()
	got, err := s.etcd.Get(ctx, s.keys.head(), clientv3.WithKeysOnly())
	if err != nil {
		return false, err
	}
	revision := int64(0)
	if len(got.Kvs) > 0 {
		revision = got.Kvs[0].ModRevision
	}
	return revision == at.revision, nil
}

// tells reports whether an outcome says anything about what is stored.
func (p *proposal) tells() bool {
	for _, o := range p.outcomes {
		if o.panic == nil && !errors.Is(o.err, context.Canceled) && !errors.Is(o.err, context.DeadlineExceeded) {
			return true
		}
	}
	return false
}

// refuses reports whether all outcomes are errors that say nothing of the
// newest version.
func (p *proposal) refuses() bool {
	for _, o := range p.outcomes {
		if o.err == nil && o.panic == nil || errors.Is(o.err, ErrConflict) {
			return false
		}
	}
	return true
}
