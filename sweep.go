package deltaplane

import (
	"context"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane/internal/fault"
	"github.com/deltaplane/deltaplane/internal/storepb"
	"github.com/deltaplane/deltaplane/resource"
)

const (
	sweepPage   = 1000 // keys per request
	sweepDelete = 100  // keys per transaction
)

// sweep deletes the values that nothing refers to.
//
// It advances the epoch first. A commit that has written values before and is
// not durable yet then fails and writes them again, which gives them a newer
// revision; what is durable by then is seen here as referred to. A value is
// deleted only if it is as old as the epoch and has not been written since.
//
// Cost: O(values and history).
func (s *Store) sweep(ctx context.Context) error {
	revision, err := s.advanceEpoch(ctx)
	if err != nil {
		return err
	}
	fault.Point("store.epoch-advanced")
	now := s.Latest() // at least as new as the epoch
	live, err := s.live(ctx, now)
	if err != nil {
		return err
	}
	garbage, err := s.garbage(ctx, revision, live)
	if err != nil {
		return err
	}
	if err := s.deleteUnchanged(ctx, garbage); err != nil {
		return err
	}
	return s.etcd.compact(ctx, revision)
}

// advanceEpoch starts a run of the collector and returns its revision. The
// store is then at least as new as that. errOvertaken when another replica
// has started one.
func (s *Store) advanceEpoch(ctx context.Context) (int64, error) {
	version := s.Latest().version
	epoch, err := encode(&storepb.Epoch{Run: commitID(), UnixNanos: time.Now().UnixNano(), Version: uint64(version)})
	if err != nil {
		return 0, err
	}
	before := s.epoch.Load()
	txn, cancel := context.WithTimeout(ctx, txnTimeout)
	defer cancel()
	resp, err := s.etcd.Txn(txn).If(clientv3.Compare(clientv3.ModRevision(s.keys.epoch()), "=", before)).
		Then(clientv3.OpPut(s.keys.epoch(), string(epoch))).Commit()
	if err != nil {
		return 0, fmt.Errorf("epoch of the collector: %w", err)
	}
	if !resp.Succeeded {
		return 0, errOvertaken
	}
	s.sawEpoch(resp.Header.Revision)
	if _, err := s.resync(ctx); err != nil {
		return 0, err
	}
	return resp.Header.Revision, nil
}

// live is what the tree of now, the history and the checkpoint refer to.
// History that takes more than its share of the quota is dropped on the way.
func (s *Store) live(ctx context.Context, now *Snapshot) (map[resource.Digest]bool, error) {
	live := map[resource.Digest]bool{}
	for _, e := range now.tree.All() {
		for _, segment := range e.Resource.Segments() {
			live[segment.Digest] = true
		}
	}
	epoch := s.epoch.Load()
	checkpoint, err := s.lastCheckpoint(ctx)
	if err != nil {
		return nil, err
	}
	for _, ref := range checkpoint.PlacementValues {
		live[resource.Digest(ref.Digest)] = true
	}
	h := historyMark{live: live, secrets: map[string]bool{}, share: s.cfg.QuotaBytes / 4}
	for before := now.version + 1; before > 1; {
		records, err := s.recordsBefore(ctx, before, pageRecords)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			h.mark(r)
			before = Version(r.Version)
			if h.bytes <= h.share {
				continue
			}
			if before > Version(checkpoint.Version)+1 {
				if err := s.writeCheckpoint(ctx, now, checkpoint, epoch); err != nil {
					return nil, err
				}
			}
			return live, s.dropRecords(ctx, before)
		}
		if len(records) < pageRecords {
			break
		}
	}
	return live, nil
}

// historyMark marks what records refer to, newest first.
type historyMark struct {
	live    map[resource.Digest]bool
	secrets map[string]bool // whose previous value has been seen
	bytes   int64           // that are there for history alone
	share   int64           // how many of them may be
}

func (h *historyMark) mark(r *storepb.Record) {
	h.bytes += int64(proto.Size(r))
	for _, ref := range r.ChangeValues {
		h.ref(ref)
	}
	for _, c := range r.Changes {
		if KeyOf(c.Path).Type == resource.Secret {
			// Of a secret only the current and the previous value are kept.
			if c.Old != nil && !h.secrets[c.Path] {
				h.secrets[c.Path] = true
				h.item(c.Old)
			}
			continue
		}
		h.item(c.Old)
		h.item(c.New)
	}
}

func (h *historyMark) item(item *storepb.Item) {
	for _, ref := range refsOf(item) {
		h.ref(ref)
	}
}

func (h *historyMark) ref(ref *storepb.Ref) {
	if d := resource.Digest(ref.Digest); !h.live[d] {
		h.live[d] = true
		h.bytes += int64(ref.Size)
	}
}

// revised is a key and when it was written last.
type revised struct {
	key      string
	revision int64
}

// garbage lists the values' keys as of the revision that are not live.
func (s *Store) garbage(ctx context.Context, revision int64, live map[resource.Digest]bool) ([]revised, error) {
	var found []revised
	from, end := s.keys.values(), clientv3.GetPrefixRangeEnd(s.keys.values())
	for {
		page, cancel := context.WithTimeout(ctx, patience)
		got, err := s.etcd.Get(page, from, clientv3.WithRange(end), clientv3.WithKeysOnly(), clientv3.WithRev(revision), clientv3.WithLimit(sweepPage))
		cancel()
		if err != nil {
			return nil, fmt.Errorf("listing values: %w", err)
		}
		for _, kv := range got.Kvs {
			if d, _, ok := s.keys.chunkOf(string(kv.Key)); ok && !live[d] {
				found = append(found, revised{string(kv.Key), kv.ModRevision})
			}
		}
		if !got.More {
			return found, nil
		}
		from = string(got.Kvs[len(got.Kvs)-1].Key) + "\x00"
	}
}

// deleteUnchanged deletes keys that have not been written since. Where one
// has, its whole batch is tried again key by key.
func (s *Store) deleteUnchanged(ctx context.Context, keys []revised) error {
	for len(keys) > 0 {
		n := min(sweepDelete, len(keys))
		ok, err := s.deleteIf(ctx, keys[:n])
		for i := 0; !ok && err == nil && i < n; i++ {
			_, err = s.deleteIf(ctx, keys[i:i+1])
		}
		if err != nil {
			return fmt.Errorf("deleting values: %w", err)
		}
		keys = keys[n:]
		fault.Point("store.garbage-deleted")
	}
	return nil
}

func (s *Store) deleteIf(ctx context.Context, keys []revised) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, txnTimeout)
	defer cancel()
	var unchanged []clientv3.Cmp
	var deletes []clientv3.Op
	for _, k := range keys {
		unchanged = append(unchanged, clientv3.Compare(clientv3.ModRevision(k.key), "=", k.revision))
		deletes = append(deletes, clientv3.OpDelete(k.key))
	}
	resp, err := s.etcd.Txn(ctx).If(unchanged...).Then(deletes...).Commit()
	return err == nil && resp.Succeeded, err
}
