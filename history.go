package deltaplane

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/deltaplane/deltaplane/internal/storepb"
	"github.com/deltaplane/deltaplane/resource"
)

// Commit is one entry of the history.
type Commit struct {
	Version Version         `json:"version"`
	Parent  Version         `json:"parent"`
	Root    resource.Digest `json:"root"` // of the tree after it
	Author  string          `json:"author"`
	Message string          `json:"message"`
	Time    time.Time       `json:"time"`
	Changes []KeyChange     `json:"changes"`
}

// KeyChange is one key that a commit changed; a zero digest means absent.
type KeyChange struct {
	Key      Key             `json:"key"`
	Old, New resource.Digest `json:"-"`
	Owner    string          `json:"owner"`            // after the commit; before it for a removal
	Inline   bool            `json:"inline,omitempty"` // of a virtual host: inside its route configuration, likewise
}

// History lists commits, newest first, from the one before `before` (0: the
// newest), at most limit of them (0: all that are kept).
// Cost: a request to etcd for every hundred; ErrUnavailable without etcd.
func (s *Store) History(ctx context.Context, before Version, limit int) ([]Commit, error) {
	newest := s.Latest().version
	if before == 0 || before > newest {
		before = newest + 1
	}
	var commits []Commit
	for limit <= 0 || len(commits) < limit {
		n := pageRecords
		if limit > 0 {
			n = min(n, limit-len(commits))
		}
		records, err := s.recordsBefore(ctx, before, n)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			c, err := commitOf(r)
			if err != nil {
				return nil, err
			}
			commits = append(commits, c)
		}
		if len(records) < n {
			break
		}
		before = commits[len(commits)-1].Version
	}
	return commits, nil
}

// recordsBefore reads up to n records with their changes, newest first.
func (s *Store) recordsBefore(ctx context.Context, before Version, n int) ([]*storepb.Record, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	got, err := s.etcd.Get(ctx, s.keys.commit(0), clientv3.WithRange(s.keys.commit(before)),
		clientv3.WithSort(clientv3.SortByKey, clientv3.SortDescend), clientv3.WithLimit(int64(n)))
	if err != nil {
		return nil, fmt.Errorf("history: %w: %w", ErrUnavailable, err)
	}
	var records []*storepb.Record
	for _, kv := range got.Kvs {
		r := &storepb.Record{}
		if err := decode(kv.Value, r); err != nil {
			return nil, err
		}
		err := s.expand(ctx, r, nil)
		if errors.Is(err, errMissing) {
			break // the collector has just removed what is older, too
		}
		if err != nil {
			return nil, fmt.Errorf("history: %w: %w", ErrUnavailable, err)
		}
		records = append(records, r)
	}
	return records, nil
}

// record reads that of one version: ErrVersionGone when it is not kept.
func (s *Store) record(ctx context.Context, v Version) (*storepb.Record, error) {
	records, err := s.recordsBefore(ctx, v+1, 1)
	if err != nil {
		return nil, err
	}
	if len(records) == 0 || Version(records[0].Version) != v {
		return nil, fmt.Errorf("version %d: %w", v, ErrVersionGone)
	}
	return records[0], nil
}

// onlySplit reports whether a change is the store's own: nothing but how a
// table is served in parts.
func onlySplit(c *storepb.Change) bool {
	return c.Old != nil && c.New != nil && bytes.Equal(c.Old.Digest, c.New.Digest) && c.Old.Owner == c.New.Owner && c.Old.Inline == c.New.Inline
}

// commitOf is what users see of a record.
func commitOf(r *storepb.Record) (Commit, error) {
	root, err := digestOf(r.Root)
	if err != nil {
		return Commit{}, err
	}
	c := Commit{
		Version: Version(r.Version), Parent: Version(r.Parent), Root: root,
		Author: r.Author, Message: r.Message, Time: time.Unix(0, r.UnixNanos),
	}
	for _, change := range r.Changes {
		if onlySplit(change) {
			continue
		}
		k := KeyChange{Key: KeyOf(change.Path)}
		if change.Old != nil {
			k.Old, k.Owner, k.Inline = resource.Digest(change.Old.Digest), change.Old.Owner, change.Old.Inline
		}
		if change.New != nil {
			k.New, k.Owner, k.Inline = resource.Digest(change.New.Digest), change.New.Owner, change.New.Inline
		}
		c.Changes = append(c.Changes, k)
	}
	return c, nil
}
