package deltaplane

import (
	"context"
	"errors"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/deltaplane/deltaplane/internal/storepb"
	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
)

// pageRecords is how many records or checkpoints one request reads.
const pageRecords = 100

// position is a snapshot and where it stands in etcd.
type position struct {
	snapshot *Snapshot
	revision int64 // of the key head, when it named the snapshot; 0 for the empty store
}

// view reads etcd as it was at one revision.
type view struct {
	store    *Store
	revision int64
	head     *storepb.Head // nil for the empty store
	headRev  int64
	epochRev int64
	swept    Version // when the collector ran last
}

// look opens a view of etcd as it is now.
func (s *Store) look(ctx context.Context) (*view, error) {
	ctx, cancel := context.WithTimeout(ctx, txnTimeout)
	defer cancel()
	resp, err := s.etcd.Txn(ctx).Then(clientv3.OpGet(s.keys.head()), clientv3.OpGet(s.keys.epoch())).Commit()
	if err != nil {
		return nil, err
	}
	v := &view{store: s, revision: resp.Header.Revision}
	v.headRev, v.epochRev = modRevision(resp.Responses[0]), modRevision(resp.Responses[1])
	if v.epochRev != 0 {
		var epoch storepb.Epoch
		if err := decode(resp.Responses[1].GetResponseRange().Kvs[0].Value, &epoch); err != nil {
			return nil, err
		}
		v.swept = Version(epoch.Version)
	}
	if v.headRev == 0 {
		return v, nil
	}
	v.head = &storepb.Head{}
	if err := decode(resp.Responses[0].GetResponseRange().Kvs[0].Value, v.head); err != nil {
		return nil, err
	}
	if v.head.Format > layoutFormat {
		return nil, fmt.Errorf("the store in etcd has format %d; this build reads %d: use a newer one", v.head.Format, layoutFormat)
	}
	return v, nil
}

// load makes the snapshot that the view's head names: from base when the
// records since are all there, else from the newest checkpoint. What base has
// of the values is not read again.
// Cost: O(changes since base), or O(entries).
func (v *view) load(ctx context.Context, base *Snapshot) (position, error) {
	if v.head == nil {
		return position{snapshot: empty}, nil
	}
	root, err := digestOf(v.head.Root)
	if err != nil {
		return position{}, err
	}
	head := Version(v.head.Version)
	if base.version == head && resource.Digest(base.tree.Hash()) == root {
		return position{base, v.headRev}, nil
	}
	if base.version < head {
		snapshot, err := v.forward(ctx, base, base.tree, head, root)
		if err == nil {
			return position{snapshot, v.headRev}, nil
		} else if !errors.Is(err, errMissing) && !errors.Is(err, errDamaged) {
			return position{}, err
		}
	}
	from, tree, err := v.checkpoint(ctx, base)
	if err != nil {
		return position{}, err
	}
	snapshot, err := v.forward(ctx, from, tree, head, root)
	return position{snapshot, v.headRev}, err
}

// forward applies the records after from up to version to. The result must
// have the hash root. reuse has values that need not be read.
func (v *view) forward(ctx context.Context, from *Snapshot, reuse radix.Tree[*Entry], to Version, root resource.Digest) (*Snapshot, error) {
	at := from.time
	changed := changeset{}
	if from.version < to {
		records, err := v.records(ctx, from.version+1, to)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			if err := v.store.expand(ctx, r, nil); err != nil {
				return nil, err
			}
			changed.add(r)
		}
		at = time.Unix(0, records[len(records)-1].UnixNanos)
	}
	tree, err := v.store.realize(ctx, from.tree, reuse, changed, values{})
	if err != nil {
		return nil, err
	}
	if resource.Digest(tree.Hash()) != root {
		return nil, fmt.Errorf("version %d has tree %s, not %s as its commit says: %w", to, tree.Hash(), root, errDamaged)
	}
	return &Snapshot{to, at, tree}, nil
}

// records reads those of versions first to last; errMissing unless all are
// there.
func (v *view) records(ctx context.Context, first, last Version) ([]*storepb.Record, error) {
	var records []*storepb.Record
	keys := v.store.keys
	for next := first; next <= last; {
		got, err := v.page(ctx, keys.commit(next), clientv3.WithRange(keys.commit(last+1)))
		if err != nil {
			return nil, err
		}
		for _, kv := range got.Kvs {
			r := &storepb.Record{}
			if err := decode(kv.Value, r); err != nil {
				return nil, err
			}
			if Version(r.Version) != next {
				return nil, fmt.Errorf("record %d: %w", next, errMissing)
			}
			records = append(records, r)
			next++
		}
		if len(got.Kvs) == 0 {
			return nil, fmt.Errorf("record %d: %w", next, errMissing)
		}
	}
	return records, nil
}

// page reads up to pageRecords keys.
func (v *view) page(ctx context.Context, key string, opts ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, txnTimeout)
	defer cancel()
	defaults := []clientv3.OpOption{clientv3.WithRev(v.revision), clientv3.WithLimit(pageRecords)}
	return v.store.etcd.Get(ctx, key, append(defaults, opts...)...)
}
