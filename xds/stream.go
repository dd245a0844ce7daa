package xds

import (
	"context"
	"errors"
	"io"
	"runtime/pprof"
	"sync/atomic"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
)

// stream is one client's connection to one service. Its run owns it.
type stream struct {
	// Fixed at birth.
	server *Server
	grpc   grpc.ServerStream
	id     uint64
	delta  bool
	ads    bool
	only   resource.Type // "" on the aggregated service
	peer   string
	auth   credentials.AuthInfo // nil in plain text
	pace   pace                 // of its connection

	requests chan request  // receive sends and closes; run reads
	failed   chan error    // receive's last word, cap 1
	sent     chan error    // transmit reports, cap 1
	resync   chan struct{} // cap 1: send again what was refused
	inspect  chan chan<- Inspection

	nodeID atomic.Pointer[string] // run stores it once; Resync reads
	at     atomic.Uint64          // version of epoch; run stores, the watchdog reads

	// Touched only by run.
	talk       *conversation
	node       *corev3.Node
	whole      string // why it gets large tables as written, as a sentence for users; "": it does not
	assignment Assignment
	shelf      *shelf // nil before the first request, and without a fleet
	epoch      *epoch
	retained   bool
	sending    bool
	first      deltaplane.Version // that was the newest at the first request
	sentTrace  string             // id of a trace to look the last response up in
}

// serve runs one stream until the client, the connection or the server ends it.
func (s *Server) serve(g grpc.ServerStream, only resource.Type, delta bool) (err error) {
	st := s.newStream(g, only, delta)
	if !s.enter(st) {
		return errClosing
	}
	defer s.leave(st)
	// A CPU profile tells what streams of one kind cost: pprof -tagfocus.
	pprof.Do(g.Context(), st.profiled(), func(ctx context.Context) { err = st.run(ctx) })
	return err
}

func (s *Server) newStream(g grpc.ServerStream, only resource.Type, delta bool) *stream {
	st := &stream{
		server: s, grpc: g, id: s.streamIDs.Add(1), delta: delta, ads: only == "", only: only,
		requests: make(chan request), failed: make(chan error, 1), sent: make(chan error, 1), resync: make(chan struct{}, 1),
		inspect: make(chan chan<- Inspection),
	}
	if p, ok := peer.FromContext(g.Context()); ok {
		st.peer, st.auth = p.Addr.String(), p.AuthInfo
	}
	st.pace = s.paceOf(g.Context())
	st.talk = &conversation{common: &s.common, delta: delta, only: only, prefix: s.noncePrefix(st.id), observe: st.observe}
	return st
}

var (
	errClosing = status.Error(codes.Unavailable, "the control plane is shutting down")
	errSilent  = status.Error(codes.DeadlineExceeded, "no request has come since the stream was opened (xds.Config.HelloTimeout)")
)

// run owns the stream: it takes in requests and versions and decides what to
// send. It never blocks on the client.
func (st *stream) run(ctx context.Context) error {
	st.server.goroutines.Go(st.receive)
	defer st.end()
	st.look()
	timer := time.NewTimer(st.server.cfg.HelloTimeout)
	defer timer.Stop()
	for {
		st.transmitNext(timer)
		select {
		case q, ok := <-st.requests:
			if !ok {
				return st.farewell()
			}
			if err := st.handle(&q); err != nil {
				return err
			}
		case <-st.epoch.superseded:
			st.follow()
		case err := <-st.sent:
			st.sending = false
			if err != nil {
				return err
			}
		case <-st.resync:
			st.talk.resync()
		case reply := <-st.inspect:
			reply <- st.inspection()
		case <-timer.C:
			if st.node == nil {
				return errSilent
			}
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		case <-st.server.closing:
			return errClosing
		}
	}
}

// farewell is what the stream ends with after the client's last request.
func (st *stream) farewell() error {
	if err := <-st.failed; !errors.Is(err, io.EOF) {
		return err
	}
	return nil // the client has hung up
}

// handle takes q, and charges the connection for what that costs. It is apart
// from run, whose frame is what an idle stream's stack holds.
func (st *stream) handle(q *request) error {
	began := st.server.cfg.now()
	err := st.take(*q)
	st.pace.spend(st.server.cfg.now().Sub(began), began)
	return err
}

// take handles one request. It is answered from the newest snapshot that the
// source has, even if the hub has not got round to it: who has heard of a
// commit and then asks must not be told what was before.
func (st *stream) take(q request) error {
	if latest := st.server.source.Latest(); latest.Version() > st.epoch.snapshot.Version() {
		st.server.hub.advance(latest)
		st.follow()
	}
	if err := st.identify(q.node); err != nil {
		return err
	}
	return st.talk.receive(q)
}

// identify takes the node of the first request, and refuses another one later
// (xDS protocol, "Basic Protocol Overview").
func (st *stream) identify(n *corev3.Node) error {
	if st.node != nil {
		if n.GetId() != "" && n.GetId() != st.node.GetId() {
			return invalid("node id changed from %q to %q within a stream", clip(st.node.GetId()), clip(n.GetId()))
		}
		return nil
	}
	whole := shape.Eligible(n) // which looks at what is not kept, too
	if whole == "" && !st.ads {
		whole = "Its types come over streams of their own, which keep no order between them."
	}
	kept, err := keepNode(n, st.server.cfg.MaxNodeBytes)
	if err != nil {
		return err
	}
	if authorize := st.server.cfg.Authorize; authorize != nil {
		if err := authorize(st.auth, kept); err != nil {
			return status.Error(codes.PermissionDenied, err.Error())
		}
	}
	st.node, st.whole = kept, whole
	st.talk.envoy = kept.GetUserAgentName() == "envoy"
	id := kept.GetId()
	st.nodeID.Store(&id)
	st.first = st.epoch.snapshot.Version()
	st.assign()
	st.observe(Event{Kind: Opened, Version: st.epoch.snapshot.Version()})
	return nil
}

// follow goes on to the newest snapshot.
func (st *stream) follow() {
	st.look()
	if st.node != nil {
		st.assign()
	}
}

// look takes the newest epoch.
func (st *stream) look() {
	st.epoch = st.server.hub.now.Load()
	st.at.Store(uint64(st.epoch.snapshot.Version()))
}

// transmitNext hands over the next response, unless one is still on its way
// into the connection, and sets the timer.
func (st *stream) transmitNext(timer *time.Timer) {
	if st.sending || st.node == nil {
		return
	}
	now := st.server.cfg.now()
	s := st.talk.next(now)
	if s == nil {
		if at, ok := st.talk.wake(now); ok {
			timer.Reset(at.Sub(now))
		}
		return
	}
	st.sending = true
	st.server.metrics.sent(s, st.talk.view.Time(), now, st.sentTrace)
	flight := s.lane.flight
	st.server.goroutines.Go(func() {
		err := st.grpc.SendMsg(s.response)
		flight.transmitted(st.server.common.watch)
		st.sent <- err
	})
}

// receive reads requests until the stream ends. It stops reading while run is
// busy, and while the connection has used up its share of the processor, so
// that a client cannot make a queue.
func (st *stream) receive() {
	defer close(st.requests)
	for {
		q, err := st.read()
		if err != nil {
			st.failed <- err
			return
		}
		select {
		case st.requests <- q:
		case <-st.grpc.Context().Done():
			st.failed <- status.FromContextError(st.grpc.Context().Err()).Err()
			return
		}
	}
}

func (st *stream) read() (request, error) {
	if err := st.pace.admit(st.grpc.Context(), st.server.cfg.now); err != nil {
		return request{}, status.FromContextError(err).Err()
	}
	if st.delta {
		var m discoveryv3.DeltaDiscoveryRequest
		if err := st.grpc.RecvMsg(&m); err != nil {
			return request{}, err
		}
		return fromDelta(&m), nil
	}
	var m discoveryv3.DiscoveryRequest
	if err := st.grpc.RecvMsg(&m); err != nil {
		return request{}, err
	}
	return fromSotW(&m), nil
}

// end tells that the stream is over and gives back what it holds.
func (st *stream) end() {
	if st.node != nil {
		st.observe(Event{Kind: Closed, Version: st.epoch.snapshot.Version()})
	}
	st.talk.close()
	st.server.hub.release(st.shelf)
}
