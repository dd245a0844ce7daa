package deltaplane

import (
	"context"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/deltaplane/deltaplane/internal/fault"
	"github.com/deltaplane/deltaplane/internal/storepb"
)

// trim drops the records that MaxCommits and MaxAge allow no longer, but none
// from version limit on. Their values are left for sweep.
func (s *Store) trim(ctx context.Context, limit Version) error {
	floor := Version(0)
	if newest, n := s.Latest().version, Version(s.cfg.MaxCommits); newest > n {
		floor = newest - n + 1
	}
	young, err := s.firstYounger(ctx, floor, limit, s.clock.steady().Add(-s.cfg.MaxAge))
	if err != nil {
		return err
	}
	return s.dropRecords(ctx, min(limit, young))
}

// firstYounger is the first version from floor on whose commit is not older
// than t; limit if there is none before it. Commits go from the oldest on, so
// that one whose clock was wrong goes when those before it have gone, at most.
func (s *Store) firstYounger(ctx context.Context, floor, limit Version, t time.Time) (Version, error) {
	for floor < limit {
		ctx, cancel := context.WithTimeout(ctx, txnTimeout)
		got, err := s.etcd.Get(ctx, s.keys.commit(floor), clientv3.WithRange(s.keys.commit(limit)), clientv3.WithLimit(pageRecords))
		cancel()
		if err != nil {
			return 0, err
		}
		if len(got.Kvs) == 0 {
			return limit, nil
		}
		for _, kv := range got.Kvs {
			var r storepb.Record
			if err := decode(kv.Value, &r); err != nil {
				return 0, err
			}
			if !time.Unix(0, r.UnixNanos).Before(t) {
				return Version(r.Version), nil
			}
			floor = Version(r.Version) + 1
		}
	}
	return limit, nil
}

// dropRecords removes all records before version floor.
func (s *Store) dropRecords(ctx context.Context, floor Version) error {
	ctx, cancel := context.WithTimeout(ctx, txnTimeout)
	defer cancel()
	if _, err := s.etcd.Delete(ctx, s.keys.commit(0), clientv3.WithRange(s.keys.commit(floor))); err != nil {
		return fmt.Errorf("dropping history before version %d: %w", floor, err)
	}
	fault.Point("store.records-dropped")
	return nil
}
