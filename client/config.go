package client

import (
	"context"
	"crypto/tls"
	"log/slog"
	"os"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/grpc"
)

// DefaultTarget is where a deltaplane on the same machine serves xDS.
const DefaultTarget = "127.0.0.1:18000"

// Config says how to reach the control plane and as whom. The zero value of
// each field takes its default.
type Config struct {
	// Targets are the control plane's replicas, in order of preference: the
	// first that answers is used, and all are tried again when the connection
	// breaks. host:port, or for a single one any target of gRPC's, such as
	// dns:///cp.example:443. Default: DefaultTarget.
	Targets []string

	// Node is who the client is (xDS protocol, "Basic Protocol Overview"): it
	// decides what the client is served. Default: the host's name as the id.
	Node *corev3.Node

	// TLS protects the connection. Without it the client speaks plain text,
	// and refuses to with any target that is not on this machine, unless
	// Insecure is set.
	TLS      *tls.Config
	Insecure bool

	// Token, if set, is asked for each stream and sent as its authorization:
	// Bearer. deltaplane itself knows xDS clients by their certificates; a
	// token is for what stands before it. StaticToken and TokenFile make one.
	Token func(context.Context) (string, error)

	// BackoffMin and BackoffMax bound every delay before a connection or a
	// stream is tried again; default 100 ms and 5 s. Delays double from one
	// to the other and are spread at random.
	BackoffMin, BackoffMax time.Duration

	ConnectTimeout   time.Duration     // of one attempt, at least; default 5 s
	KeepaliveTime    time.Duration     // idle time before the server is pinged, at least 10 s; default 30 s
	KeepaliveTimeout time.Duration     // for its answer; default 10 s
	MaxMessageBytes  int               // of one message in either direction; default 32 MiB
	Logger           *slog.Logger      // default: discard. Names, never contents
	DialOptions      []grpc.DialOption // added last, so that they win
}

func (c Config) withDefaults() Config {
	if len(c.Targets) == 0 {
		c.Targets = []string{DefaultTarget}
	}
	if c.Node == nil {
		host, err := os.Hostname()
		if err != nil {
			host = "unknown"
		}
		c.Node = &corev3.Node{Id: host, UserAgentName: "deltaplane-client"}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	orDefault(&c.BackoffMin, 100*time.Millisecond)
	orDefault(&c.BackoffMax, 5*time.Second)
	c.BackoffMax = max(c.BackoffMax, c.BackoffMin)
	orDefault(&c.ConnectTimeout, 5*time.Second)
	orDefault(&c.KeepaliveTime, 30*time.Second)
	orDefault(&c.KeepaliveTimeout, 10*time.Second)
	orDefault(&c.MaxMessageBytes, 32<<20)
	return c
}

func orDefault[T int | time.Duration](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}
