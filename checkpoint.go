package deltaplane

import (
	"context"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/deltaplane/deltaplane/internal/fault"
	"github.com/deltaplane/deltaplane/internal/storepb"
	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
)

// checkpointDue writes a checkpoint of now if it is time for one, and returns
// the version of the newest that there is. The larger the tree the rarer it
// is, so that the cost for each commit is bounded.
func (s *Store) checkpointDue(ctx context.Context, now *Snapshot) (Version, error) {
	epoch := s.epoch.Load() // before reading, as parts of last are built upon
	last, err := s.lastCheckpoint(ctx)
	if err != nil {
		return 0, err
	}
	wait := min(max(s.keepInterval(), Version(now.tree.Len()/256)), Version(max(4, s.cfg.MaxCommits/2)))
	if now.version < Version(last.Version)+wait {
		return Version(last.Version), nil
	}
	return now.version, s.writeCheckpoint(ctx, now, last, epoch)
}

// lastCheckpoint is the newest checkpoint; an empty one without any.
func (s *Store) lastCheckpoint(ctx context.Context) (*storepb.Checkpoint, error) {
	ctx, cancel := context.WithTimeout(ctx, txnTimeout)
	defer cancel()
	c := &storepb.Checkpoint{}
	got, err := s.etcd.Get(ctx, s.keys.checkpoints(), clientv3.WithLastKey()...)
	if err != nil || len(got.Kvs) == 0 {
		return c, err
	}
	return c, decode(got.Kvs[0].Value, c)
}

// writeCheckpoint writes one of now, and removes the older ones. Parts that
// the last one has are not written again. errOvertaken when the epoch is no
// longer the one under which last was read.
// Cost: O(entries) to encode; the bytes written are O(changed parts).
func (s *Store) writeCheckpoint(ctx context.Context, now *Snapshot, last *storepb.Checkpoint, epoch int64) error {
	root := now.tree.Hash()
	c := &storepb.Checkpoint{
		Version: uint64(now.version), Root: root[:], UnixNanos: now.time.UnixNano(), Entries: uint64(now.tree.Len()),
	}
	placements := make([]*storepb.Placement, 0, now.tree.Len())
	for path, e := range now.tree.All() {
		placements = append(placements, &storepb.Placement{Path: path, Item: itemOf(e)})
	}
	parts, err := partsOf(placements, func(list []*storepb.Placement) ([]byte, error) {
		return encode(&storepb.Placements{Placements: list})
	})
	if err != nil {
		return err
	}
	has := map[resource.Digest]bool{}
	for _, ref := range last.PlacementValues {
		has[resource.Digest(ref.Digest)] = true
	}
	var fresh []blob
	for _, p := range parts {
		c.PlacementValues = append(c.PlacementValues, p.ref())
		if !has[p.digest] {
			fresh = append(fresh, p)
		}
	}
	if err := s.putValues(ctx, fresh); err != nil {
		return fmt.Errorf("checkpoint %d: %w", now.version, err)
	}
	fault.Point("store.checkpoint-values-written")
	b, err := encode(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, txnTimeout)
	defer cancel()
	key := s.keys.checkpoint(now.version)
	resp, err := s.etcd.Txn(ctx).If(clientv3.Compare(clientv3.ModRevision(s.keys.epoch()), "=", epoch)).Then(
		clientv3.OpDelete(s.keys.checkpoint(0), clientv3.WithRange(key)),
		clientv3.OpPut(key, string(b)),
	).Commit()
	if err == nil && !resp.Succeeded {
		err = errOvertaken
	}
	if err != nil {
		return fmt.Errorf("checkpoint %d: %w", now.version, err)
	}
	fault.Point("store.checkpoint-written")
	return nil
}

// checkpoint is the newest one as a snapshot, and a tree with all values that
// are at hand: the empty snapshot when there is no checkpoint.
func (v *view) checkpoint(ctx context.Context, base *Snapshot) (*Snapshot, radix.Tree[*Entry], error) {
	keys := v.store.keys
	got, err := v.page(ctx, keys.checkpoints(), clientv3.WithPrefix(),
		clientv3.WithSort(clientv3.SortByKey, clientv3.SortDescend), clientv3.WithLimit(1))
	if err != nil {
		return nil, base.tree, err
	}
	if len(got.Kvs) == 0 {
		return empty, base.tree, nil
	}
	var c storepb.Checkpoint
	if err := decode(got.Kvs[0].Value, &c); err != nil {
		return nil, base.tree, err
	}
	parts := values{}
	if err := v.store.fetch(ctx, c.PlacementValues, parts); err != nil {
		return nil, base.tree, err
	}
	changed := changeset{}
	for _, ref := range c.PlacementValues {
		var list storepb.Placements
		b, ok := parts.find(resource.Digest(ref.Digest))
		if !ok {
			return nil, base.tree, fmt.Errorf("part of checkpoint %d: %w", c.Version, errMissing)
		}
		if err := decode(b, &list); err != nil {
			return nil, base.tree, err
		}
		for _, p := range list.Placements {
			changed[p.Path] = p.Item
		}
	}
	tree, err := v.store.realize(ctx, radix.Tree[*Entry]{}, base.tree, changed, values{})
	if err != nil {
		return nil, base.tree, err
	}
	root, err := digestOf(c.Root)
	if err == nil && resource.Digest(tree.Hash()) != root {
		err = fmt.Errorf("checkpoint %d: %w", c.Version, errDamaged)
	}
	return &Snapshot{Version(c.Version), time.Unix(0, c.UnixNanos), tree}, base.tree, err
}
