package deltaplane

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/deltaplane/deltaplane/internal/embedetcd"
	"github.com/deltaplane/deltaplane/internal/etcdclient"
)

// connection is the store's way to etcd.
type connection struct {
	clientv3.KV
	clientv3.Watcher

	embedded *embedetcd.Server // nil for an external etcd
	client   *clientv3.Client
	inUse    atomic.Int64 // bytes of an external etcd's database
}

// bytesInUse is the size of the database, as far as known.
func (c *connection) bytesInUse() int64 {
	if c.embedded == nil {
		return c.inUse.Load()
	}
	_, inUse := c.embedded.Sizes()
	return inUse
}

// broken is why nothing can be written: of an embedded etcd that has failed,
// or has too little space on its disk.
func (c *connection) broken() error {
	if c.embedded == nil {
		return nil
	}
	if err := c.embedded.Err(); err != nil {
		return fmt.Errorf("%w: free space on the disk if it is full, and restart", err)
	}
	if err := c.embedded.Room(); err != nil {
		return fmt.Errorf("free some, and try again: %w", err)
	}
	return nil
}

// measure asks an external etcd for the size of its database.
func (c *connection) measure(ctx context.Context) error {
	if c.embedded != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, txnTimeout)
	defer cancel()
	status, err := c.client.Status(ctx, c.client.Endpoints()[0])
	if err == nil {
		c.inUse.Store(status.DbSizeInUse)
	}
	return err
}

// connect starts the embedded etcd, or prepares a connection to the external
// one; that it answers is not said.
func connect(ctx context.Context, cfg Config) (*connection, error) {
	if len(cfg.Endpoints) == 0 {
		server, err := embedetcd.Start(ctx, cfg.DataDir, cfg.QuotaBytes, cfg.Logger)
		if err != nil {
			return nil, err
		}
		return &connection{KV: server.Client, Watcher: server.Client, embedded: server, client: server.Client}, nil
	}
	client, err := etcdclient.New(cfg.Endpoints, cfg.TLS)
	if err != nil {
		return nil, err
	}
	return &connection{KV: client, Watcher: client, client: client}, nil
}

// close ends what uses the connection, and the embedded etcd.
func (c *connection) close() error {
	if c.embedded != nil {
		c.embedded.Close()
		return nil
	}
	return c.client.Close()
}

// defragmentBytes is what a defragmentation must win to be worth its pause.
const defragmentBytes = 64 << 20

// compact drops etcd's own history up to the revision. An external etcd is
// left to its administrator.
func (c *connection) compact(ctx context.Context, revision int64) error {
	if c.embedded == nil {
		return nil
	}
	if _, err := c.client.Compact(ctx, revision); err != nil && !errors.Is(err, rpctypes.ErrCompacted) {
		return fmt.Errorf("compacting etcd: %w", err)
	}
	if file, inUse := c.embedded.Sizes(); file-inUse > defragmentBytes && inUse < file/2 {
		return c.embedded.Defragment()
	}
	return nil
}

// makeRoom gets the embedded etcd out of its refusal to write, when its
// database has reached the quota. An external etcd is left to its
// administrator.
func (c *connection) makeRoom(ctx context.Context) error {
	if c.embedded == nil {
		return nil
	}
	got, err := c.client.Get(ctx, "head", clientv3.WithCountOnly())
	if err != nil {
		return err
	}
	if _, err := c.client.Compact(ctx, got.Header.Revision, clientv3.WithCompactPhysical()); err != nil && !errors.Is(err, rpctypes.ErrCompacted) {
		return fmt.Errorf("compacting etcd: %w", err)
	}
	if err := c.embedded.Defragment(); err != nil {
		return err
	}
	_, err = c.client.AlarmDisarm(ctx, &clientv3.AlarmMember{})
	return err
}
