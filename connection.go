package deltaplane

import (
	"context"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"github.com/deltaplane/deltaplane/internal/embedetcd"
)

// connection is the store's way to etcd.
type connection struct {
	clientv3.KV
	clientv3.Watcher

	embedded *embedetcd.Server // nil for an external etcd
	client   *clientv3.Client
}

// connect starts the embedded etcd, or prepares a connection to the external
// one; that it answers is not said.
func connect(ctx context.Context, cfg Config) (*connection, error) {
	if len(cfg.Endpoints) == 0 {
		server, err := embedetcd.Start(ctx, cfg.DataDir, cfg.QuotaBytes, cfg.Logger)
		if err != nil {
			return nil, err
		}
		return &connection{server.Client, server.Client, server, server.Client}, nil
	}
	client, err := clientv3.New(clientv3.Config{
		Endpoints:            cfg.Endpoints,
		TLS:                  cfg.TLS,
		DialKeepAliveTime:    10 * time.Second,
		DialKeepAliveTimeout: 3 * time.Second,
		PermitWithoutStream:  true,
		Logger:               zap.NewNop(), // what matters comes back as errors
		DialOptions: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 3 * time.Second},
			MinConnectTimeout: 3 * time.Second,
		})},
	})
	if err != nil {
		return nil, fmt.Errorf("etcd at %v: %w", cfg.Endpoints, err)
	}
	return &connection{client, client, nil, client}, nil
}

// close ends what uses the connection, and the embedded etcd.
func (c *connection) close() {
	if c.embedded != nil {
		c.embedded.Close()
		return
	}
	c.client.Close()
}
