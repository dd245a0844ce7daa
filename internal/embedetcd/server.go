// Package embedetcd runs a single-member etcd inside the process. It listens
// on no socket: its one client calls it directly, so any number of them run
// side by side on a machine, and nobody else can reach the data.
package embedetcd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	"go.etcd.io/etcd/client/pkg/v3/fileutil"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"
)

// ErrInUse means that another process, or another Server of this one, has the
// directory.
var ErrInUse = errors.New("data directory is in use by another server: stop that one, or choose another directory")

// Raft's clock. One member needs no heartbeats and wins its first election,
// so a short timeout is safe and makes it ready within a few ticks.
const (
	tickMillis     = 20
	electionMillis = 100
)

// snapshotEntries is after how many entries of its log etcd writes a snapshot.
// It must not be more than the 100 after which etcd starts to drop entries
// from memory: where it drops the first entry of a log without a snapshot
// while raft begins its first election, raft panics ("error scanning unapplied
// entries"), and a restart has failed.
const snapshotEntries = 100

// keptEntries is how many entries of its log etcd keeps in memory at a snapshot,
// for followers, of which there are none: by default 5,000, and one may have a
// megabyte. What raft reads again at its first election must be among them:
// all that came after the last snapshot.
const keptEntries = 2 * snapshotEntries

// defragMegabytes is what a defragmentation at start must win to be worth it.
const defragMegabytes = 64

// Server is a running etcd.
type Server struct {
	Client *clientv3.Client // goes with the server: do not use it after Close

	dir     string
	etcd    *embed.Etcd
	logs    *logCore
	lock    *fileutil.LockedFile
	failure *failure
	close   sync.Once
}

// Start opens the etcd in dir, or makes one, and returns when it is ready.
// quota bounds the size of its database, in bytes. Nobody else may have dir:
// ErrInUse.
func Start(ctx context.Context, dir string, quota int64, log *slog.Logger) (*Server, error) {
	lock, err := acquire(dir)
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, lock: lock, logs: newLogCore(log), failure: &failure{done: make(chan struct{})}}
	if s.etcd, err = s.launch(quota); err != nil {
		lock.Close()
		return nil, fmt.Errorf("etcd in %s: %w", dir, err)
	}
	select {
	case <-s.etcd.Server.ReadyNotify():
	case err = <-s.etcd.Err():
	case <-s.failure.done:
		err = s.failure.err
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	s.Client = v3client.New(s.etcd.Server)
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("etcd in %s: %w", dir, err)
	}
	return s, nil
}

// launch starts etcd in a goroutine of its own, which is what ends when etcd
// would end the process.
func (s *Server) launch(quota int64) (*embed.Etcd, error) {
	type started struct {
		etcd *embed.Etcd
		err  error
	}
	done := make(chan started, 1)
	go func() {
		defer close(done)
		etcd, err := embed.StartEtcd(s.config(s.dir, quota))
		done <- started{etcd, err}
	}()
	got, ok := <-done
	if !ok {
		return nil, s.Err()
	}
	return got.etcd, got.err
}

// Close stops the client and the server, and gives the directory up. What has
// failed cannot be stopped: it stays until the process ends.
func (s *Server) Close() {
	s.close.Do(func() {
		s.logs.quiet.Store(true)
		_ = s.Client.Close() // says only that the client's context has ended
		if s.Err() == nil {
			s.etcd.Close()
		}
		s.lock.Close()
	})
}

// Stopped is closed when the server has stopped, by Close or by itself.
func (s *Server) Stopped() <-chan struct{} { return s.etcd.Server.StopNotify() }

// Defragment gives the space that compaction freed back to the file system.
// It halts the server for its duration, about 10 ms for each megabyte in use.
func (s *Server) Defragment() error { return s.etcd.Server.Backend().Defrag() }

// Sizes are those of the database: its file, and what is in use of it. Bytes.
func (s *Server) Sizes() (file, inUse int64) {
	b := s.etcd.Server.Backend()
	return b.Size(), b.SizeInUse()
}

// acquire locks dir against other processes. etcd's own lock would wait.
func acquire(dir string) (*fileutil.LockedFile, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	lock, err := fileutil.TryLockFile(filepath.Join(dir, "lock"), os.O_WRONLY|os.O_CREATE, 0o600)
	if errors.Is(err, fileutil.ErrLocked) {
		return nil, fmt.Errorf("%s: %w", dir, ErrInUse)
	}
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	return lock, nil
}

func (s *Server) config(dir string, quota int64) *embed.Config {
	c := embed.NewConfig()
	c.Name = "deltaplane"
	c.Dir = filepath.Join(dir, "etcd")
	c.ListenPeerUrls, c.ListenClientUrls = nil, nil
	c.AdvertisePeerUrls = []url.URL{{Scheme: "http", Host: "localhost:0"}} // a name only: nobody listens
	c.AdvertiseClientUrls = nil
	c.InitialCluster = c.InitialClusterFromName(c.Name)
	c.EnableGRPCGateway = false
	c.TickMs, c.ElectionMs = tickMillis, electionMillis
	c.QuotaBackendBytes = quota
	c.SnapshotCount, c.SnapshotCatchUpEntries = snapshotEntries, keptEntries
	c.BootstrapDefragThresholdMegabytes = defragMegabytes
	c.ZapLoggerBuilder = embed.NewZapLoggerBuilder(s.logs.logger(s.failure))
	return c
}
