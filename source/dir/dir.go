// Package dir is the source that watches a directory: all its *.yaml, *.yml
// and *.json files are one atomic commit.
//
// A directory has no transactions, so the question is when what stands in it is
// something that somebody meant. scan.go says what is there without reading
// it, rest.go decides when it is at rest, read.go reads it and proves that
// nothing moved meanwhile. fsnotify only wakes; that the directory is looked
// at again every now and then makes up for file systems without events.
package dir

import (
	"log/slog"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/source"
)

// Config says what a Source watches. The zero value of each duration takes its
// default.
type Config struct {
	Path    string // of the directory
	Decoder resource.Decoder
	// Settle is for how long a directory must be left alone before it is read;
	// default 200 ms.
	Settle time.Duration
	// Blind is Settle for files of which the operating system does not tell
	// whether somebody has them open for writing; default ten times Settle.
	Blind time.Duration
	// Rescan is how often the directory is looked at although nothing woke the
	// source; default 30 s.
	Rescan time.Duration
	Logger *slog.Logger
}

// Source watches one directory.
type Source struct {
	cfg    Config
	sync   *source.Syncer
	probe  probe
	events func(buffer uint) (*fsnotify.Watcher, error)
}

// New makes a Source that commits through sync.
func New(cfg Config, sync *source.Syncer) *Source {
	if cfg.Settle == 0 {
		cfg.Settle = 200 * time.Millisecond
	}
	if cfg.Blind == 0 {
		cfg.Blind = 10 * cfg.Settle
	}
	if cfg.Rescan == 0 {
		cfg.Rescan = 30 * time.Second
	}
	cfg.Path = filepath.Clean(cfg.Path)
	return &Source{cfg: cfg, sync: sync, probe: openForWriting, events: fsnotify.NewBufferedWatcher}
}
