package deltaplane

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// How long Open waits for etcd when there is a snapshot on disk to serve, and
// when there is none.
const (
	diskPatience = 3 * time.Second
	openPatience = 15 * time.Second
)

// Store is versioned configuration on etcd. All methods may be called from
// any goroutine; readers take no lock.
type Store struct {
	Publisher

	// Fixed at birth.
	cfg     Config
	log     *slog.Logger
	keys    layout
	etcd    *connection
	clock   clock
	metrics *metrics

	requests chan *request   // Commit sends, write receives; not buffered
	closing  <-chan struct{} // closed when Close has begun
	stop     context.CancelFunc
	running  sync.WaitGroup // the store's goroutines
	closed   sync.Once

	keeper *keeper
	tables *tables // write's

	epoch atomic.Int64 // revision of the collector's epoch, as last seen

	proposed atomic.Pointer[proposal] // what submit is about to make durable; nil between

	mu sync.Mutex // guards at, and makes publications follow each other
	at position

	disk   *disk
	health health
	recent recent

	audiences audienceCache
	users     userIndex
}

// Open connects to etcd, or starts it in cfg.DataDir, and reads the newest
// snapshot. When an external etcd is away but the disk snapshot is there, it
// serves that, says so in Health, and keeps trying. ctx bounds Open alone.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	cfg = cfg.withDefaults()
	etcd, err := connect(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return openOn(ctx, cfg, etcd)
}

// openOn is Open with a connection, which from then on is the store's.
func openOn(ctx context.Context, cfg Config, etcd *connection) (*Store, error) {
	return openAt(ctx, cfg, etcd, newClock())
}

// openAt is openOn with a clock.
func openAt(ctx context.Context, cfg Config, etcd *connection, c clock) (*Store, error) {
	s := &Store{
		cfg: cfg, log: cfg.Logger, keys: layout{cfg.Prefix}, etcd: etcd, clock: c,
		requests: make(chan *request),
		at:       position{snapshot: empty},
	}
	s.keeper, s.disk, s.tables = newKeeper(s), newDisk(cfg), &tables{drain: cfg.LeafDrain}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.closing, s.stop = life.Done(), stop
	var err error
	if s.metrics, err = newMetrics(cfg.Registerer, s); err == nil {
		err = s.start(ctx, life)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// start reads the newest snapshot and starts the goroutines, which live as
// long as life.
func (s *Store) start(ctx, life context.Context) error {
	disk := s.disk.read()
	s.at.snapshot = disk
	limit := diskPatience
	if disk.version == 0 {
		limit = openPatience
	}
	revision, err := s.resyncWithin(ctx, limit)
	if errors.Is(err, errWentBack) {
		s.log.Warn("the snapshot on disk is newer than etcd or of another store, and is not used")
		disk, s.at.snapshot = empty, empty
		s.disk.version.Store(0)
		revision, err = s.resyncWithin(ctx, openPatience)
	}
	if err != nil {
		if disk.version == 0 {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		s.log.Warn("etcd does not answer; serving the snapshot on disk", "version", disk.version, "error", err)
		s.health.fromDisk()
		s.Publish(disk)
	}
	s.running.Go(func() { s.observe(life) })
	s.running.Go(func() { s.disk.run(life, s) })
	s.running.Go(func() { s.follow(life, revision) })
	s.running.Go(func() { s.write(life) })
	s.running.Go(func() { s.keeper.run(life) })
	return nil
}

// resyncWithin is resync with a time limit.
func (s *Store) resyncWithin(ctx context.Context, limit time.Duration) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return s.resync(ctx)
}

// Close stops all of the store's goroutines and the embedded etcd. Commits
// that wait end with ErrClosed.
func (s *Store) Close() (err error) {
	s.closed.Do(func() {
		s.stop()
		s.running.Wait()
		s.metrics.unregister()
		err = s.etcd.close()
	})
	return err
}
