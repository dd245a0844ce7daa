package xds

import (
	"log/slog"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/credentials"
)

// Config tunes a Server. The zero value of each field takes its default.
type Config struct {
	Assigner   Assigner              // node → what it should have; default: by the Fleet resources
	Observer   Observer              // hears what happens on the streams; default: nobody
	Logger     *slog.Logger          // default: discard
	Registerer prometheus.Registerer // default: none
	Tracer     Tracer                // puts pushes into traces; default: none
	Authorize  Authorize             // default: any client may be any node
	Identifier string                // of this control plane in responses; default "deltaplane"

	// Patience is for how long a response that is neither accepted nor
	// refused holds up other types of the same stream; default 15 s.
	Patience time.Duration

	// StuckAfter is for how long a version may not have reached the streams
	// until Server.Stuck tells; default 10 s.
	StuckAfter time.Duration

	// Drain is for how long at most a cluster outlives the listeners and route
	// configurations that mention it, for Envoy's connections that go on with
	// them; default 5 s, in which busy connections have ended whatever Envoy's
	// --drain-time-s is.
	Drain time.Duration

	MaxResponseBytes        int    // resources in one response, where the protocol allows several; default 4 MiB less 64 KiB, for clients with gRPC's default limit
	MaxRequestBytes         int    // default 32 MiB
	MaxRequestBytesInAll    int    // of requests over 4 KiB that are arriving or not decoded, on all connections; more have to wait; default 64 MiB
	MaxNodeBytes            int    // of a node without its extensions; default 256 KiB
	MaxNames                int    // subscribed on one stream; default 65,536
	MaxNamesInAll           int    // subscribed on all streams, or said to be held by who comes back; a set that several have counts once; default 4 million
	MaxStreamsPerConnection uint32 // default 8,192: an Envoy without ADS has one for each EDS cluster

	HelloTimeout     time.Duration // for a connection's handshake, and for a stream's first request to begin, which then has six times as long in all; default 20 s
	KeepaliveTime    time.Duration // idle time after which the client is pinged; default 30 s
	KeepaliveTimeout time.Duration // for its answer; default 10 s
	KeepaliveMinTime time.Duration // between the client's own pings; default 1 s

	now func() time.Time // for tests
}

// Authorize says why the client of a connection may not be the node; nil if it
// may. It is called once for each stream: return fast. The
// error goes to the client, with PERMISSION_DENIED.
type Authorize func(credentials.AuthInfo, *corev3.Node) error

func (c Config) withDefaults() Config {
	if c.Assigner == nil {
		c.Assigner = &byFleet{}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Identifier == "" {
		c.Identifier = "deltaplane"
	}
	if c.now == nil {
		c.now = time.Now
	}
	orDefault(&c.Patience, 15*time.Second)
	orDefault(&c.StuckAfter, 10*time.Second)
	orDefault(&c.Drain, 5*time.Second)
	orDefault(&c.MaxResponseBytes, 4<<20-64<<10)
	orDefault(&c.MaxRequestBytes, 32<<20)
	orDefault(&c.MaxRequestBytesInAll, 64<<20)
	orDefault(&c.HelloTimeout, 20*time.Second)
	orDefault(&c.MaxNodeBytes, 256<<10)
	orDefault(&c.MaxNames, 65_536)
	orDefault(&c.MaxNamesInAll, 4_000_000)
	orDefault(&c.MaxStreamsPerConnection, 8192)
	orDefault(&c.KeepaliveTime, 30*time.Second)
	orDefault(&c.KeepaliveTimeout, 10*time.Second)
	orDefault(&c.KeepaliveMinTime, time.Second)
	return c
}

func orDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
