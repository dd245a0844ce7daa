package xds

import (
	"context"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	"github.com/deltaplane/deltaplane"
)

// Server serves what a Source holds to xDS clients. All methods may be called
// from any goroutine.
type Server struct {
	// Fixed at birth.
	cfg       Config
	source    Source
	common    common
	hub       *hub
	assigner  Assigner
	metrics   *metrics
	log       eventLog
	closing   chan struct{}
	cancel    context.CancelFunc
	streamIDs atomic.Uint64
	watchdog  watchdog
	pushes    pushes
	barrier   barrier
	room      *room
	floods    *bucket // of processor time

	goroutines sync.WaitGroup // all that the server started, and all handlers

	mu      sync.Mutex
	streams map[*stream]struct{} // nil once closed
}

// NewServer starts serving source; Register makes it reachable.
func NewServer(source Source, cfg Config) *Server {
	cfg = cfg.withDefaults()
	ctx, cancel := context.WithCancel(context.Background()) // a life of its own, which Close ends
	watch := source.Watch()
	s := &Server{
		cfg: cfg, source: source, assigner: cfg.Assigner,
		log: eventLog{cfg.Logger, stopwatch{cfg.Tracer}, &repeats{}}, closing: make(chan struct{}), cancel: cancel,
		streams: map[*stream]struct{}{},
	}
	s.hub = newHub(source.Latest(), cfg.Assigner, cfg.now, s.advanced)
	s.common.watch, s.hub.watch = stopwatch{cfg.Tracer}, stopwatch{cfg.Tracer}
	s.common.identifier, s.common.patience = cfg.Identifier, cfg.Patience
	s.common.drain = cfg.Drain
	s.common.maxResponse, s.common.maxNames, s.common.maxNamesInAll = cfg.MaxResponseBytes, cfg.MaxNames, cfg.MaxNamesInAll
	s.metrics = newMetrics(cfg.Registerer, s.common.interner.Names, s.Stuck)
	s.room = &room{
		max: cfg.MaxRequestBytesInAll, limit: cfg.MaxRequestBytes, most: 2 * int(cfg.MaxStreamsPerConnection),
		log: cfg.Logger, metric: s.metrics.evicted.Inc, all: map[*inbound]struct{}{},
	}
	s.floods = newCommonBucket(cfg.now())
	s.watchdog.patience, s.watchdog.now = cfg.StuckAfter, cfg.now
	s.watchdog.looked.Store(cfg.now().UnixNano())
	first := s.hub.now.Load()
	s.goroutines.Go(func() { s.hub.follow(ctx, source, watch) })
	for range runtime.GOMAXPROCS(0) {
		s.goroutines.Go(func() { s.push(ctx, first) })
	}
	s.goroutines.Go(func() { s.watchdog.watch(ctx, s) })
	return s
}

// GRPCOptions are what the grpc.Server that Register gets must be made with:
// the codec that sends ready buffers, limits and keepalive. Where a grpc.Creds
// follows, it must be made with Credentials, or the budgets for connections
// are not in force.
func (s *Server) GRPCOptions() []grpc.ServerOption {
	return append(newIntake(s.cfg.MaxNames, &s.common.resumed).options(),
		grpc.Creds(s.Credentials(insecure.NewCredentials())),
		grpc.ConnectionTimeout(s.cfg.HelloTimeout),
		grpc.MaxHeaderListSize(maxHeaderBytes),
		grpc.MaxRecvMsgSize(s.cfg.MaxRequestBytes),
		grpc.MaxConcurrentStreams(s.cfg.MaxStreamsPerConnection),
		grpc.StaticStreamWindowSize(streamWindow),
		grpc.StaticConnWindowSize(connWindow),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: s.cfg.KeepaliveTime, Timeout: s.cfg.KeepaliveTimeout}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: s.cfg.KeepaliveMinTime, PermitWithoutStream: true}),
	)
}

// Close ends all streams with UNAVAILABLE and waits until none is left and
// all of the server's goroutines are done. It does not stop the grpc.Server.
func (s *Server) Close() {
	s.mu.Lock()
	if s.streams != nil {
		close(s.closing)
		s.streams = nil
	}
	s.mu.Unlock()
	s.cancel()
	s.goroutines.Wait()
}

// Resync has everything that a node refused sent to it again. It reports
// whether the node is connected.
func (s *Server) Resync(node string) bool {
	found := false
	for _, st := range s.open() {
		if id := st.nodeID.Load(); id != nil && *id == node {
			found = true
			st.lock()
			st.talk.resync()
			st.unlock()
		}
	}
	return found
}

// open is all streams, in no order.
func (s *Server) open() []*stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.streams))
}

// Behind is for how long a version has been out that the streams were not
// told of: zero but for moments, unless the server is stuck.
func (s *Server) Behind() time.Duration {
	latest := s.source.Latest()
	if s.hub.now.Load().snapshot.Version() >= latest.Version() {
		return 0
	}
	return max(s.cfg.now().Sub(latest.Time()), 1)
}

// advanced takes in that a version is out.
func (s *Server) advanced(now *deltaplane.Snapshot) {
	s.common.age()
	if s.cfg.Observer != nil {
		s.cfg.Observer.Observe(Event{Kind: Advanced, Version: now.Version(), Time: s.cfg.now()})
	}
}

// enter counts a stream in, unless the server is closing.
func (s *Server) enter(st *stream) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.streams == nil {
		return false
	}
	s.streams[st] = struct{}{}
	s.hub.roster.enter(st)
	s.goroutines.Add(1)
	s.metrics.opened(st)
	return true
}

// leave counts it out.
func (s *Server) leave(st *stream) {
	s.mu.Lock()
	delete(s.streams, st)
	s.mu.Unlock()
	s.hub.roster.leave(st)
	s.metrics.closed(st)
	s.goroutines.Done()
}
