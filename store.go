package deltaplane

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/deltaplane/deltaplane/resource"
)

// What Store's methods fail with; use errors.Is.
var (
	ErrConflict    = errors.New("the store has changed meanwhile")
	ErrNotFound    = errors.New("not found")
	ErrOwned       = errors.New("owned by another")
	ErrVersionGone = errors.New("version no longer kept")
	ErrShrink      = errors.New("would remove more than a fifth; allow it on purpose")
	ErrDangling    = errors.New("refers to what does not exist")
	ErrUnavailable = errors.New("etcd is unavailable")
	ErrClosed      = errors.New("store is closed")
)

// Config says where a Store keeps its data. The zero value of each field
// takes its default.
type Config struct {
	DataDir    string                // embedded etcd and the disk snapshot; default "./deltaplane-data"
	Endpoints  []string              // external etcd cluster; empty: embedded
	TLS        *tls.Config           // for Endpoints
	Prefix     string                // of all keys in etcd; default "/deltaplane/"
	MaxCommits int                   // history kept; default 1,000
	MaxAge     time.Duration         // history kept; default 30 days
	QuotaBytes int64                 // etcd's quota; default 2 GiB; history takes at most a quarter
	Logger     *slog.Logger          // default: discard
	Registerer prometheus.Registerer // default: none
}

// Store is versioned configuration on etcd. All methods may be called from
// any goroutine; readers take no lock.
type Store struct {
	Publisher
}

// Open connects to etcd, or starts it in cfg.DataDir, and reads the newest
// snapshot. When an external etcd is away but the disk snapshot is there, it
// serves that, says so in Health, and keeps trying.
func Open(ctx context.Context, cfg Config) (*Store, error) { panic("contract: to be written") }

// Close stops all of the store's goroutines and the embedded etcd.
func (s *Store) Close() error { panic("contract: to be written") }

// Commit runs change on the latest snapshot and publishes the result as one
// new version, by compare-and-swap of the head. When another writer was
// faster it runs change again on the newer snapshot, so change must have no
// effects beyond its Batch. Concurrent small commits share a transaction.
// An empty batch makes no version. It returns once the commit is durable and
// Latest shows it.
func (s *Store) Commit(ctx context.Context, change func(*Batch) error) (Version, error) {
	panic("contract: to be written")
}

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

// Health is what readiness and metrics tell of the store.
type Health struct {
	Connected bool      `json:"connected"`        // etcd answers
	Since     time.Time `json:"since"`            // when Connected last changed
	FromDisk  bool      `json:"from_disk"`        // serving the disk snapshot, etcd not seen yet
	Detail    string    `json:"detail,omitempty"` // the last error
	Version   Version   `json:"version"`
}

// Health reports the store's state without asking etcd.
func (s *Store) Health() Health { panic("contract: to be written") }

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

// Batch collects the changes of one commit over the snapshot Base. It is for
// one goroutine and is dead when the function that it was handed to returns.
type Batch struct {
	Author  string // who; for the history
	Message string // why; for the history
}

// Base is the snapshot that the batch will follow.
func (b *Batch) Base() *Snapshot { panic("contract: to be written") }

// Get sees the batch's own changes.
func (b *Batch) Get(k Key) (*Entry, bool) { panic("contract: to be written") }

// Put sets one entry. An equal one is left alone. Since is set by the store.
func (b *Batch) Put(k Key, e Entry) { panic("contract: to be written") }

// Delete removes one entry and reports whether it was there.
func (b *Batch) Delete(k Key) bool { panic("contract: to be written") }
