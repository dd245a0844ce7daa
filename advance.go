package deltaplane

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/deltaplane/deltaplane/internal/fault"
	"github.com/deltaplane/deltaplane/internal/invariant"
)

// errWentBack means that etcd has lost history which this store has served.
var errWentBack = errors.New("etcd's history is older than or different from what is served; " +
	"if it was restored from a backup, restart to serve that")

// position is where the store is.
func (s *Store) position() position {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at
}

// setLocked moves the store to p and publishes it. s.mu is held.
// INVARIANT: versions that are published only grow.
func (s *Store) setLocked(p position) {
	invariant.Check(p.snapshot.version >= s.at.snapshot.version, "version %d after %d", p.snapshot.version, s.at.snapshot.version)
	s.at = p
	s.Publish(p.snapshot)
}

// publishCommitted publishes what p's drafts made, in order, unless the watch
// was faster. revision is that of p's transaction.
func (s *Store) publishCommitted(p *proposal, revision int64) {
	durable := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range p.drafts {
		fault.Point("store.publish")
		if d.snapshot.version == s.at.snapshot.version+1 {
			s.tellPublished(Publication{
				Version: d.snapshot.version, Link: d.record.Trace, Own: true, Committed: d.snapshot.time, Seen: durable})
			s.setLocked(position{d.snapshot, revision})
		}
	}
}

// catchUp makes the store newer than base.
func (s *Store) catchUp(ctx context.Context, base *Snapshot) error {
	if s.position().snapshot.version > base.version {
		return nil
	}
	if _, err := s.resync(ctx); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}

// resync reads from etcd what is newer than the store, and returns the
// revision from which on a watch tells the rest. It starts over when the
// collector deletes what it is about to read.
func (s *Store) resync(ctx context.Context) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for attempt := 0; ; attempt++ {
		revision, err := s.resyncLocked(ctx)
		s.connected(err)
		if err == nil || attempt == 3 || !errors.Is(err, errMissing) {
			return revision, err
		}
		if err := backOff(ctx, attempt); err != nil {
			return 0, err
		}
	}
}

func (s *Store) resyncLocked(ctx context.Context) (int64, error) {
	v, err := s.look(ctx)
	if err != nil {
		return 0, err
	}
	s.epoch.Store(v.epochRev)
	s.keeper.swept.Store(uint64(v.swept))
	now := s.at.snapshot
	p, err := v.load(ctx, now)
	if err != nil {
		return 0, err
	}
	if p.snapshot.version < now.version || p.snapshot.version == now.version && p.snapshot.tree.Hash() != now.tree.Hash() {
		return 0, errWentBack
	}
	s.setLocked(p)
	s.health.fromEtcd()
	return v.revision, nil
}

// sawEpoch notes the revision of the collector's epoch, if it is news.
func (s *Store) sawEpoch(revision int64) {
	for {
		known := s.epoch.Load()
		if revision <= known || s.epoch.CompareAndSwap(known, revision) {
			return
		}
	}
}
