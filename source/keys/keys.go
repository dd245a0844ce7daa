// Package keys is the source that watches the user's own keys below a prefix
// of an etcd: the value of each holds resources, as YAML, JSON or serialized.
//
// A watch only wakes (watch.go); what the keys hold is read at one revision
// (read.go), so that all that one transaction changed is one commit, and
// whatever the watch has missed, by a compaction, a change of leader or a
// partition, is read like everything else. table.go knows which key holds
// what, value.go reads a value.
//
// Any number of replicas may watch one prefix. Each notes the store's snapshot
// before it reads the keys, and commits only if nothing of the source has
// changed since: what it commits is never older than what is there.
package keys

import (
	"log/slog"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/source"
)

// Config says what a Source watches.
type Config struct {
	Client    *clientv3.Client
	Prefix    string
	Namespace string // of the resources
	Decoder   resource.Decoder
	Logger    *slog.Logger
}

// Source watches the keys below one prefix.
type Source struct {
	cfg   Config
	store source.Store
	sync  *source.Syncer
}

// New makes a Source that commits through sync, which commits to store.
func New(cfg Config, store source.Store, sync *source.Syncer) *Source {
	return &Source{cfg, store, sync}
}

// Waits between attempts that failed.
const (
	shortest = 50 * time.Millisecond
	longest  = 5 * time.Second
)

// backOff is how long to wait after a number of failed attempts in a row.
func backOff(failed int) time.Duration { return min(longest, shortest<<min(failed, 10)) }
