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

	// Versions at which some replica's keeper worked last, and at which one
	// collected garbage last.
	worked, swept atomic.Uint64

	// Touched only by run.
	patience Version // commits beyond the interval, so that replicas differ
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
	work := k.upkeep // what a restart left undone
	for {
		if work != nil {
			k.worked.Store(uint64(s.Latest().version))
			err := s.etcd.broken()
			if err == nil {
				err = work(ctx)
			}
			if err != nil && !errors.Is(err, errOvertaken) && ctx.Err() == nil {
				s.log.Warn("upkeep of the store in etcd has to wait", "error", err)
			}
			work = nil
		}
		select {
		case <-ctx.Done():
			return
		case <-commits.Changed():
			now, err := commits.Next(ctx)
			if err == nil && now.version >= Version(k.worked.Load())+s.keepInterval()+k.patience {
				work = k.upkeep
			}
		case <-rest.C:
			work = k.cleanUp
		case <-k.full:
			work = k.makeRoom
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

// upkeep does what is due by the number of commits. errOvertaken means that
// another replica is at it.
func (k *keeper) upkeep(ctx context.Context) error {
	now, err := k.shorten(ctx)
	if err != nil {
		return err
	}
	// A sweep looks at every value, so the more there are the rarer it is.
	if wait := max(k.store.keepInterval(), Version(now.tree.Len()/32)); now.version < Version(k.swept.Load())+wait {
		return nil
	}
	return k.store.sweep(ctx)
}

// cleanUp does also what could wait: a store at rest keeps no garbage, and no
// private keys that have been replaced.
func (k *keeper) cleanUp(ctx context.Context) error {
	now, err := k.shorten(ctx)
	if err != nil || now.version == Version(k.swept.Load()) {
		return err
	}
	return k.store.sweep(ctx)
}

// makeRoom gets etcd to take writes again, and then frees what it can.
func (k *keeper) makeRoom(ctx context.Context) error {
	if err := k.store.etcd.makeRoom(ctx); err != nil {
		return err
	}
	if _, err := k.shorten(ctx); err != nil {
		return err
	}
	return k.store.sweep(ctx)
}

// shorten writes a checkpoint if one is due, and drops old history.
func (k *keeper) shorten(ctx context.Context) (*Snapshot, error) {
	s := k.store
	now := s.Latest()
	if now.version == 0 {
		return now, nil
	}
	if err := s.etcd.measure(ctx); err != nil {
		return nil, err
	}
	checkpoint, err := s.checkpointDue(ctx, now)
	if err != nil {
		return nil, err
	}
	return now, s.trim(ctx, min(now.version, checkpoint+1))
}
