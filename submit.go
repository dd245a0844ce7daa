package deltaplane

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/deltaplane/deltaplane/internal/fault"
	"github.com/deltaplane/deltaplane/internal/storepb"
)

const (
	txnTimeout = 3 * time.Second  // of one request to etcd
	patience   = 10 * time.Second // with an etcd that does not answer, per commit
)

// errOvertaken means that the head has moved on since the proposal's base.
var errOvertaken = errors.New("overtaken")

// submit makes the proposal durable and publishes it: errOvertaken when
// another writer was faster.
//
// A transaction that etcd does not answer may still be carried out. It is
// sent again as it was: both hold only while the head is where it was, so at
// most one of them is carried out, and when that was the first, the second
// finds the commit under its own id.
func (s *Store) submit(ctx context.Context, p *proposal) error {
	if len(p.drafts) == 0 {
		return nil
	}
	s.proposed.Store(p)
	defer s.proposed.Store(nil)
	began := time.Now()
	epoch := s.epoch.Load()
	staged := len(p.staged) == 0
	uncertain := false // an earlier attempt may have been carried out
	for attempt := 0; ; attempt++ {
		err := s.etcd.broken()
		if err != nil && !uncertain {
			s.connected(err)
			return fmt.Errorf("%w: nothing was committed: %w", ErrUnavailable, err)
		}
		fault.Point("store.proposed")
		if err == nil && !staged {
			if err = s.putValues(ctx, p.staged); err == nil {
				err = fault.Error("store.values-written")
			}
			staged = err == nil
		}
		var answer verdict
		if err == nil {
			answer, err = s.attempt(ctx, p, epoch)
			uncertain = uncertain || err != nil && !refused(err)
		}
		switch {
		case err == nil && answer.revision > 0:
			s.connected(nil)
			s.metrics.etcd.Observe(time.Since(began).Seconds())
			s.publishCommitted(p, answer.revision)
			return nil
		case err == nil && answer.epoch != epoch:
			epoch, staged = answer.epoch, len(p.staged) == 0
			s.epoch.Store(epoch)
			continue
		case err == nil && answer.lost && uncertain:
			return fmt.Errorf("%w: history no longer tells whether the commit was made", ErrUnavailable)
		case err == nil:
			return errOvertaken
		case ctx.Err() != nil:
			return ErrClosed
		case refused(err):
			s.connected(err)
			if isNoSpace(err) {
				s.keeper.outOfSpace()
				return s.noSpace(err)
			}
			return fmt.Errorf("etcd refuses the commit: %w", err)
		}
		s.connected(err)
		if time.Since(began) > patience {
			if uncertain {
				return fmt.Errorf("%w: the commit may still turn up in the history: look there before trying again: %w", ErrUnavailable, err)
			}
			return fmt.Errorf("%w: nothing was committed: try again when it is back: %w", ErrUnavailable, err)
		}
		if err := backOff(ctx, attempt); err != nil {
			return ErrClosed
		}
	}
}

// verdict is what etcd says to a proposal.
type verdict struct {
	revision int64 // at which it was committed; 0: it was not
	epoch    int64 // the collector's, when not committed
	lost     bool  // the head is past the proposal, and the record is no longer kept
}

// attempt asks etcd to commit p.
func (s *Store) attempt(ctx context.Context, p *proposal, epoch int64) (verdict, error) {
	ops, err := s.operations(p)
	if err != nil {
		return verdict{}, err
	}
	first := p.drafts[0].record
	ctx, cancel := context.WithTimeout(ctx, txnTimeout)
	defer cancel()
	resp, err := s.etcd.Txn(ctx).If(
		clientv3.Compare(clientv3.ModRevision(s.keys.head()), "=", p.base.revision),
		clientv3.Compare(clientv3.ModRevision(s.keys.epoch()), "=", epoch),
	).Then(ops...).Else(
		clientv3.OpGet(s.keys.head()),
		clientv3.OpGet(s.keys.epoch()),
		clientv3.OpGet(s.keys.commit(Version(first.Version))),
	).Commit()
	if err == nil {
		err = fault.Error("store.committed")
	}
	if err != nil {
		return verdict{}, err
	}
	if resp.Succeeded {
		return verdict{revision: resp.Header.Revision}, nil
	}
	var v verdict
	moved := modRevision(resp.Responses[0]) != p.base.revision
	v.epoch = modRevision(resp.Responses[1])
	if kvs := resp.Responses[2].GetResponseRange().Kvs; len(kvs) > 0 {
		var found storepb.Record
		if err := decode(kvs[0].Value, &found); err != nil {
			return verdict{}, err
		}
		if bytes.Equal(found.Id, first.Id) {
			return verdict{revision: kvs[0].ModRevision}, nil
		}
	} else {
		v.lost = moved
	}
	if moved {
		v.epoch = epoch // what counts is that it was overtaken
	}
	return v, nil
}

// modRevision is that of the key that was asked for; 0 when it is not there.
func modRevision(r *etcdserverpb.ResponseOp) int64 {
	if kvs := r.GetResponseRange().Kvs; len(kvs) > 0 {
		return kvs[0].ModRevision
	}
	return 0
}

// operations are the puts of p's transaction, head last.
func (s *Store) operations(p *proposal) ([]clientv3.Op, error) {
	ops := make([]clientv3.Op, 0, p.ops)
	for _, v := range p.values {
		for i := range chunks(len(v.bytes)) {
			ops = append(ops, opPut(s.keys.chunk(v.digest, i), v.chunk(i)))
		}
	}
	ops = distinct(ops)
	for i, d := range p.drafts {
		ops = append(ops, opPut(s.keys.commit(d.snapshot.version), p.records[i]))
	}
	head, err := encode(p.head())
	return append(ops, opPut(s.keys.head(), head)), err
}

// opPut is an operation that sets a key. It shares value, which must not change.
func opPut(key string, value []byte) clientv3.Op {
	op := clientv3.OpPut(key, "")
	op.WithValueBytes(value)
	return op
}

// distinct drops repeated keys, which etcd does not take in one transaction.
func distinct(ops []clientv3.Op) []clientv3.Op {
	seen := make(map[string]bool, len(ops))
	kept := ops[:0]
	for _, op := range ops {
		if key := string(op.KeyBytes()); !seen[key] {
			seen[key] = true
			kept = append(kept, op)
		}
	}
	return kept
}

// refused reports whether err says that etcd did not and will not carry the
// request out, rather than leaving its outcome open.
func refused(err error) bool {
	code := status.Code(err)
	var etcd rpctypes.EtcdError
	if errors.As(err, &etcd) {
		code = etcd.Code()
	}
	if errors.Is(err, rpctypes.ErrTooManyRequests) {
		return false // only busy
	}
	switch code {
	case codes.InvalidArgument, codes.ResourceExhausted, codes.PermissionDenied, codes.Unauthenticated,
		codes.FailedPrecondition, codes.OutOfRange, codes.NotFound, codes.Unimplemented:
		return true
	}
	return errors.Is(err, errDamaged)
}

// isNoSpace reports whether etcd has reached its quota.
func isNoSpace(err error) bool {
	var etcd rpctypes.EtcdError
	return errors.As(err, &etcd) && etcd.Error() == rpctypes.ErrNoSpace.Error()
}

// noSpace tells what to do about an etcd that has reached its quota.
func (s *Store) noSpace(err error) error {
	remedy := "compact and defragment it and disarm its alarm, or give it a larger quota"
	if s.etcd.embedded != nil {
		remedy = "old history is being dropped: try again in a moment; if that does not help, give it a larger quota"
	}
	return fmt.Errorf("%w: it takes no writes and nothing was committed: %s: %w", ErrUnavailable, remedy, err)
}

// backOff waits a little longer with each attempt, up to a second.
func backOff(ctx context.Context, attempt int) error {
	timer := time.NewTimer(min(time.Second, 10*time.Millisecond<<min(attempt, 10)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
