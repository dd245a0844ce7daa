package deltaplane

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// keeperRest is how long the keeper leaves a store alone in which nothing
// happens but time.
const keeperRest = 10 * time.Minute

// keeper writes checkpoints, drops old history and collects garbage. Every
// replica has one; each sees what the others did and waits its turn, and all
// of it is safe if two of them work at once.
type keeper struct {
	store *Store
	full  chan struct{} // holds one: etcd has run out of space

	// worked is the version at which some replica's keeper worked last.
	worked atomic.Uint64

	// Touched only by run.
	swept     Version // at the last sweep of this keeper
	patience  Version // commits beyond the interval, so that replicas differ
	emergency bool
}

func newKeeper(s *Store) *keeper {
	return &keeper{store: s, full: make(chan struct{}, 1), patience: Version(rand.Uint64N(uint64(s.keepInterval()/2 + 1)))}
}

// keepInterval is the number of commits between two works of the keeper.
func (s *Store) keepInterval() Version { return Version(max(4, s.cfg.MaxCommits/8)) }

// run is the keeper's goroutine.
func (k *keeper) run(ctx context.Context) {
	s := k.store
	commits := s.Watch()
	rest := time.NewTicker(keeperRest)
	defer rest.Stop()
	k.worked.Store(uint64(s.Latest().version))
	due := true // what a restart left undone
	for {
		if due {
			k.worked.Store(uint64(s.Latest().version))
			if err := k.work(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("upkeep of the store in etcd has to wait", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-commits.Changed():
			now, err := commits.Next(ctx)
			due = err == nil && now.version >= Version(k.worked.Load())+s.keepInterval()+k.patience
		case <-rest.C:
			due = true
		case <-k.full:
			due, k.emergency = true, true
		}
	}
}

// outOfSpace tells the keeper that etcd has no space left.
func (k *keeper) outOfSpace() {
	select {
	case k.full <- struct{}{}:
	default:
	}
}

// work does what is due. When another replica is at it, nothing is.
func (k *keeper) work(ctx context.Context) error {
	if k.emergency {
		k.emergency = false
		if err := k.store.etcd.makeRoom(ctx); err != nil {
			return err
		}
		k.swept = 0
	}
	if err := k.upkeep(ctx); err != nil && !errors.Is(err, errOvertaken) {
		return err
	}
	return k.store.etcd.measure(ctx)
}

func (k *keeper) upkeep(ctx context.Context) error {
	s := k.store
	now := s.Latest()
	if now.version == 0 {
		return nil
	}
	checkpoint, err := s.checkpointDue(ctx, now)
	if err != nil {
		return err
	}
	if err := s.trim(ctx, min(now.version, checkpoint+1)); err != nil {
		return err
	}
	// A sweep looks at every value, so the more there are the rarer it is.
	if wait := max(s.keepInterval(), Version(now.tree.Len()/32)); k.swept == 0 || now.version >= k.swept+wait {
		if err := s.sweep(ctx); err != nil {
			return err
		}
		k.swept = now.version
	}
	return nil
}
