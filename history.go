package deltaplane

import (
	"context"
	"time"

	"github.com/deltaplane/deltaplane/resource"
)

// At is the store as it was at v: ErrVersionGone when history no longer
// reaches back, ErrNotFound when v is yet to come.
func (s *Store) At(ctx context.Context, v Version) (*Snapshot, error) {
	panic("contract: to be written")
}

// History lists commits, newest first, from the one before `before` (0: the
// newest), at most limit of them (0: all that are kept).
func (s *Store) History(ctx context.Context, before Version, limit int) ([]Commit, error) {
	panic("contract: to be written")
}

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
	Owner    string          `json:"owner"` // after the commit; before it for a removal
}
