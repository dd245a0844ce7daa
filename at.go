package deltaplane

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/deltaplane/deltaplane/internal/storepb"
	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
)

// At is the store as it was at v: ErrVersionGone when history no longer
// reaches back, ErrNotFound when v is yet to come. Secrets older than the
// previous one of their name are no longer kept: their entries have a digest
// but no content.
// Cost: O(changes between v and the nearest version at hand).
func (s *Store) At(ctx context.Context, v Version) (*Snapshot, error) {
	newest := s.Latest()
	if v == newest.version {
		return newest, nil
	}
	if v > newest.version {
		return nil, fmt.Errorf("version %d: the newest is %d: %w", v, newest.version, ErrNotFound)
	}
	near := s.recent.nearest(v, newest)
	if near.version == v {
		return near, nil
	}
	snapshot, err := s.back(ctx, near, v)
	if err != nil {
		return nil, err
	}
	s.recent.add(snapshot)
	return snapshot, nil
}

// back takes the changes after v back from a newer snapshot.
func (s *Store) back(ctx context.Context, from *Snapshot, v Version) (*Snapshot, error) {
	undone := changeset{}
	at, root := time.Time{}, radix.Hash{} // of version 0
	for next := from.version; next > 0; {
		records, err := s.recordsBefore(ctx, next+1, min(pageRecords, int(next-v)+1))
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			if Version(r.Version) != next {
				break
			}
			if next == v {
				at, root = time.Unix(0, r.UnixNanos), radix.Hash(r.Root)
				return s.undo(ctx, from, undone, &Snapshot{version: v, time: at}, root)
			}
			for _, c := range r.Changes {
				undone[c.Path] = c.Old
			}
			next--
		}
		if next == 0 && v == 0 {
			break
		}
		if len(records) == 0 || Version(records[len(records)-1].Version) != next+1 {
			return nil, fmt.Errorf("version %d: %w", v, ErrVersionGone)
		}
	}
	return s.undo(ctx, from, undone, &Snapshot{version: v, time: at}, root)
}

// undo completes to with the tree of from after the changes.
func (s *Store) undo(ctx context.Context, from *Snapshot, undone changeset, to *Snapshot, root radix.Hash) (*Snapshot, error) {
	known := values{}
	var refs []*storepb.Ref
	for path, item := range undone {
		if item == nil {
			continue
		}
		if _, ok := segmentsAt(path, item, from.tree); !ok {
			refs = append(refs, refsOf(item)...)
		}
	}
	if err := s.fetch(ctx, refs, known); err != nil {
		return nil, fmt.Errorf("version %d: %w: %w", to.version, ErrUnavailable, err)
	}
	txn := from.tree.Txn()
	for path, item := range undone {
		if item == nil {
			txn.Delete(path)
			continue
		}
		e, err := oldEntry(path, item, from.tree, known)
		if errors.Is(err, errMissing) {
			return nil, fmt.Errorf("version %d: %w", to.version, ErrVersionGone)
		} else if err != nil {
			return nil, err
		}
		txn.Put(path, e)
	}
	to.tree = txn.Commit()
	if to.tree.Hash() != root {
		return nil, fmt.Errorf("version %d: %w", to.version, errDamaged)
	}
	return to, nil
}

// oldEntry is the entry of an older version. A secret that is no longer kept
// has no content.
func oldEntry(path string, item *storepb.Item, now radix.Tree[*Entry], known values) (*Entry, error) {
	if segments, ok := segmentsAt(path, item, now); ok {
		return entryWith(path, item, segments)
	}
	e, err := entryOf(path, item, known.find)
	if errors.Is(err, errMissing) && KeyOf(path).Type == resource.Secret {
		return entryWith(path, item, nil)
	}
	return e, err
}

// maxRecent is how many old snapshots stay at hand.
const maxRecent = 4

// recent holds the snapshots that At made last. They share most of their
// trees with the newest.
type recent struct {
	mu   sync.Mutex // guards list
	list []*Snapshot
}

// nearest is the oldest snapshot at hand that is not older than v.
func (r *recent) nearest(v Version, newest *Snapshot) *Snapshot {
	r.mu.Lock()
	defer r.mu.Unlock()
	near := newest
	for _, s := range r.list {
		if s.version >= v && s.version < near.version {
			near = s
		}
	}
	return near
}

func (r *recent) add(s *Snapshot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.list) == maxRecent {
		r.list = slices.Delete(r.list, 0, 1)
	}
	r.list = append(r.list, s)
}
