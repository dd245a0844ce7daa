package deltaplane

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"
	"golang.org/x/sync/errgroup"

	"github.com/deltaplane/deltaplane/internal/storepb"
	"github.com/deltaplane/deltaplane/resource"
)

var (
	// errMissing means that a value is not in etcd: the collector was faster.
	errMissing = errors.New("value is missing")
	// errDamaged means that something stored is not what it should be.
	errDamaged = errors.New("stored data is damaged")
)

// streams is how many requests for values are in flight at once.
const streams = 4

// putValues writes values, in as many transactions as they need. Writing a
// value again does no harm.
func (s *Store) putValues(ctx context.Context, values []blob) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(streams)
	var ops []clientv3.Op
	size := 0
	send := func() {
		batch := distinct(ops)
		g.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, txnTimeout)
			defer cancel()
			_, err := s.etcd.Txn(ctx).Then(batch...).Commit()
			return err
		})
		ops, size = nil, 0
	}
	for _, v := range values {
		for i := range chunks(len(v.bytes)) {
			chunk := v.chunk(i)
			if len(ops) == txnOps || size+len(chunk) > txnBytes {
				send()
			}
			ops = append(ops, opPut(s.keys.chunk(v.digest, i), chunk))
			size += len(chunk)
		}
	}
	if len(ops) > 0 {
		send()
	}
	return g.Wait()
}

// values are bytes by their digest.
type values map[resource.Digest][]byte

func (v values) find(d resource.Digest) ([]byte, bool) {
	b, ok := v[d]
	return b, ok
}

// fetch adds what refs name and v lacks. What etcd does not have stays away.
// Bytes that do not have their digest are errDamaged.
func (s *Store) fetch(ctx context.Context, refs []*storepb.Ref, v values) error {
	var batches [][]*storepb.Ref
	size, ops := 0, txnOps
	asked := map[resource.Digest]bool{}
	for _, ref := range refs {
		d, err := digestOf(ref.Digest)
		if err != nil {
			return err
		}
		if _, ok := v[d]; ok || asked[d] {
			continue
		}
		asked[d] = true
		n := chunks(int(ref.Size))
		if ops+n > txnOps || size+int(ref.Size) > 4*txnBytes {
			batches = append(batches, nil)
			size, ops = 0, 0
		}
		last := len(batches) - 1
		batches[last] = append(batches[last], ref)
		size, ops = size+int(ref.Size), ops+n
	}
	found := make([]values, len(batches))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(streams)
	for i, batch := range batches {
		g.Go(func() (err error) {
			found[i], err = s.fetchBatch(ctx, batch)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, f := range found {
		for d, b := range f {
			v[d] = b
		}
	}
	return nil
}

// fetchBatch reads values in one request.
func (s *Store) fetchBatch(ctx context.Context, refs []*storepb.Ref) (values, error) {
	var ops []clientv3.Op
	for _, ref := range refs {
		d := resource.Digest(ref.Digest)
		for i := range chunks(int(ref.Size)) {
			ops = append(ops, clientv3.OpGet(s.keys.chunk(d, i)))
		}
	}
	ctx, cancel := context.WithTimeout(ctx, txnTimeout)
	defer cancel()
	resp, err := s.etcd.Txn(ctx).Then(ops...).Commit()
	if err != nil {
		return nil, err
	}
	got := values{}
	next := 0
	for _, ref := range refs {
		var b []byte
		complete := true
		for range chunks(int(ref.Size)) {
			kvs := resp.Responses[next].GetResponseRange().Kvs
			next++
			if len(kvs) == 0 {
				complete = false
				continue
			}
			b = append(b, kvs[0].Value...)
		}
		if !complete {
			continue
		}
		if d := resource.Digest(ref.Digest); sha256.Sum256(b) != d {
			return nil, fmt.Errorf("value %s: %w", d, errDamaged)
		} else {
			got[d] = b
		}
	}
	return got, nil
}
