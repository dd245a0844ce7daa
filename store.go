package deltaplane

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
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
	metrics *metrics

	requests chan *request   // Commit sends, write receives; not buffered
	closing  <-chan struct{} // closed when Close has begun
	stop     context.CancelFunc
	running  sync.WaitGroup // the store's goroutines
	closed   sync.Once

	epoch atomic.Int64 // revision of the collector's epoch, as last seen

	mu sync.Mutex // guards at, and makes publications follow each other
	at position

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
	s := &Store{
		cfg: cfg, log: cfg.Logger, keys: layout{cfg.Prefix}, etcd: etcd,
		requests: make(chan *request),
		at:       position{snapshot: empty},
	}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.closing, s.stop = life.Done(), stop
	var err error
	if s.metrics, err = newMetrics(cfg.Registerer, s); err == nil {
		err = s.start(ctx, life)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// start reads the newest snapshot and starts the goroutines, which live as
// long as life.
func (s *Store) start(ctx, life context.Context) error {
	revision, err := s.resync(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	s.running.Go(func() { s.follow(life, revision) })
	s.running.Go(func() { s.write(life) })
	return nil
}

// Close stops all of the store's goroutines and the embedded etcd. Commits
// that wait end with ErrClosed.
func (s *Store) Close() error {
	s.closed.Do(func() {
		s.stop()
		s.running.Wait()
		s.metrics.unregister()
		if s.etcd != nil {
			s.etcd.close()
		}
	})
	return nil
}
