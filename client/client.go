package client

import (
	"context"
	"fmt"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/protobuf/proto"
)

// Client is one connection to a control plane, shared by any number of
// streams. All methods may be called from any goroutine.
type Client struct {
	// Fixed at birth.
	cfg  Config
	conn *grpc.ClientConn

	mu      sync.Mutex
	streams map[*Stream]struct{} // nil once closed
}

// Source is what can be watched: a *Client, on a stream of the watch's own, or
// a *Stream, which several types share.
type Source interface {
	// carry returns a stream for a type. own reports whether the caller is to
	// close it.
	carry(ctx context.Context, url string) (st *Stream, own bool, err error)
}

// New makes a Client. It connects when something is watched, and an
// unreachable control plane is no error: watches begin when it is there.
func New(cfg Config) (*Client, error) {
	cfg = cfg.withDefaults()
	cfg.Node = proto.CloneOf(cfg.Node)
	conn, err := cfg.dial()
	if err != nil {
		return nil, err
	}
	return &Client{cfg: cfg, conn: conn, streams: map[*Stream]struct{}{}}, nil
}

// Aggregated opens a stream on the aggregated service, which carries any
// number of types and on which the server keeps the order that make-before-break
// needs (xDS protocol, "Aggregated Discovery Service"). It lives until ctx
// ends or it or the Client is closed.
func (c *Client) Aggregated(ctx context.Context) (*Stream, error) { return c.stream(ctx, "") }

// Close ends all streams and the connection, and waits until none is left.
// Once more does nothing.
func (c *Client) Close() error {
	c.mu.Lock()
	streams := c.streams
	c.streams = nil
	c.mu.Unlock()
	if streams == nil {
		return nil
	}
	for st := range streams {
		st.cancel(ErrClosed)
	}
	for st := range streams {
		<-st.done
	}
	return c.conn.Close()
}

func (c *Client) stream(ctx context.Context, url string) (*Stream, error) {
	method := aggregated
	if url != "" {
		method = methodFor(url)
	}
	st := newStream(&c.cfg, url, func(ctx context.Context, unreachable func(error)) (wire, error) {
		return c.open(ctx, method, unreachable)
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.streams == nil {
		return nil, fmt.Errorf("client: %w", ErrClosed)
	}
	c.streams[st] = struct{}{}
	st.start(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.streams, st)
	})
	return st, nil
}

// open opens a gRPC stream as soon as there is a connection. The connection
// paces itself, so nothing is gained by waiting longer than it does.
func (c *Client) open(ctx context.Context, method string, unreachable func(error)) (wire, error) {
	for {
		w, err := c.conn.NewStream(ctx, description, method)
		if err == nil || ctx.Err() != nil || c.conn.GetState() != connectivity.TransientFailure {
			return w, err
		}
		unreachable(err)
		c.conn.WaitForStateChange(ctx, connectivity.TransientFailure)
	}
}

func (c *Client) carry(ctx context.Context, url string) (*Stream, bool, error) {
	st, err := c.stream(ctx, url)
	return st, true, err
}

func (st *Stream) carry(context.Context, string) (*Stream, bool, error) { return st, false, nil }
