package deltaplane

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/deltaplane/deltaplane/internal/storepb"
	"github.com/deltaplane/deltaplane/resource"
)

// maxHeldBytes bounds the values that a follower holds until their commit
// comes. Those of larger commits are read from etcd.
const maxHeldBytes = 32 << 20

// errWatchEnded means that etcd ended the watch without saying why.
var errWatchEnded = errors.New("watch ended")

// follow is the goroutine that publishes what other writers commit. It
// watches from the given revision on, and when the watch breaks, as after a
// compaction, reads what it missed and watches again, without end. Without a
// revision, 0, it begins with reading.
func (s *Store) follow(ctx context.Context, revision int64) {
	for attempt := 0; ctx.Err() == nil; attempt++ {
		if revision > 0 {
			began := time.Now()
			err := s.watch(ctx, revision+1)
			if ctx.Err() != nil {
				return
			}
			s.connected(err)
			s.log.Warn("watch on etcd broke; reading what it missed", "error", err)
			if time.Since(began) > 10*time.Second {
				attempt = 0
			}
		}
		if backOff(ctx, attempt) != nil {
			return
		}
		var err error
		if revision, err = s.resync(ctx); err != nil && ctx.Err() == nil {
			revision = 0
			s.log.Warn("cannot read from etcd; trying again", "error", err)
		}
	}
}

// watch publishes what etcd has from the revision on. It returns why it could
// not go on.
func (s *Store) watch(ctx context.Context, revision int64) error {
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	defer cancel()
	f := follower{store: s, held: values{}, records: map[Version]seen{}}
	responses := s.etcd.Watch(ctx, s.keys.prefix, clientv3.WithPrefix(), clientv3.WithRev(revision), clientv3.WithProgressNotify())
	for r := range responses {
		if err := r.Err(); err != nil {
			return err
		}
		s.connected(nil)
		for _, e := range r.Events {
			if e.Type != mvccpb.Event_PUT {
				continue
			}
			if err := f.see(ctx, e.Kv); err != nil {
				return err
			}
		}
	}
	return errWatchEnded
}

// follower puts commits together from the keys that a watch sees: values,
// then records, then the head.
type follower struct {
	store   *Store
	held    values // since the last head
	bytes   int    // of held
	records map[Version]seen
}

// seen is a record that waits for its head.
type seen struct {
	record *storepb.Record
	made   *Snapshot // after it, if this store made the commit; else nil
}

// see takes in one key.
func (f *follower) see(ctx context.Context, kv *mvccpb.KeyValue) error {
	keys := f.store.keys
	key := string(kv.Key)
	switch {
	case key == keys.head():
		return f.head(ctx, kv)
	case key == keys.epoch():
		return f.epoch(kv)
	case strings.HasPrefix(key, keys.commits()):
		return f.record(key, kv.Value)
	default:
		if d, i, ok := keys.chunkOf(key); ok && i == 0 && len(kv.Value) < chunkBytes && f.bytes < maxHeldBytes {
			f.held[d] = kv.Value
			f.bytes += len(kv.Value)
		}
	}
	return nil
}

// epoch notes that some replica collects garbage.
func (f *follower) epoch(kv *mvccpb.KeyValue) error {
	var epoch storepb.Epoch
	if err := decode(kv.Value, &epoch); err != nil {
		return err
	}
	f.store.sawEpoch(kv.ModRevision)
	f.store.keeper.swept.Store(epoch.Version)
	f.store.keeper.worked.Store(epoch.Version)
	return nil
}

// record keeps a record until the head names it, if the store does not have
// its version yet.
func (f *follower) record(key string, value []byte) error {
	v, ok := versionOf(key)
	if !ok || v <= f.store.Latest().version {
		return nil
	}
	if d := f.store.own(v, value); d != nil {
		f.records[v] = seen{d.record, d.snapshot}
		return nil
	}
	r := &storepb.Record{}
	if err := decode(value, r); err != nil {
		return err
	}
	f.records[v] = seen{record: r}
	return nil
}

// own is the commit of a version that this store has just proposed, if its
// record is this one: etcd may tell of it here first. nil for all others.
func (s *Store) own(v Version, record []byte) *draft {
	p := s.proposed.Load()
	if p == nil {
		return nil
	}
	for i, d := range p.drafts {
		if d.snapshot.version == v && bytes.Equal(p.records[i], record) {
			return d
		}
	}
	return nil
}

// head publishes the records up to the new head.
func (f *follower) head(ctx context.Context, kv *mvccpb.KeyValue) error {
	var head storepb.Head
	if err := decode(kv.Value, &head); err != nil {
		return err
	}
	defer func() { f.held, f.bytes = values{}, 0; clear(f.records) }()
	f.store.mu.Lock()
	defer f.store.mu.Unlock()
	for f.store.at.snapshot.version < Version(head.Version) {
		if err := f.nextLocked(ctx, kv.ModRevision); err != nil {
			return err
		}
	}
	return nil
}

// nextLocked publishes the version after the store's. The store's mu is held.
func (f *follower) nextLocked(ctx context.Context, revision int64) error {
	s, base := f.store, f.store.at.snapshot
	began := time.Now()
	next, ok := f.records[base.version+1]
	if !ok {
		return fmt.Errorf("watch skipped the record of version %d", base.version+1)
	}
	now, r := next.made, next.record
	if now == nil {
		var err error
		if now, err = f.follows(ctx, base, r); err != nil {
			return err
		}
	}
	s.tellPublished(Publication{Version: now.version, Link: r.Trace, Own: next.made != nil, Committed: now.time, Seen: began})
	s.setLocked(position{now, revision})
	return nil
}

// follows is the snapshot that r makes of base.
func (f *follower) follows(ctx context.Context, base *Snapshot, r *storepb.Record) (*Snapshot, error) {
	if err := f.store.expand(ctx, r, f.held); err != nil {
		return nil, err
	}
	changed := changeset{}
	changed.add(r)
	tree, err := f.store.realize(ctx, base.tree, base.tree, changed, f.held)
	if err != nil {
		return nil, err
	}
	root, err := digestOf(r.Root)
	if err == nil && root != resource.Digest(tree.Hash()) {
		err = fmt.Errorf("version %d has tree %s, not %s as its commit says: %w", r.Version, tree.Hash(), root, errDamaged)
	}
	return &Snapshot{Version(r.Version), time.Unix(0, r.UnixNanos), tree}, err
}
