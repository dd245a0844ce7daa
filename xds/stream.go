package xds

import (
	"errors"
	"io"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/internal/invariant"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
)

// stream is one client's connection to one service. Whoever has something for
// it locks it, and unlock brings it up to date: the goroutine that receives its
// requests, a pusher that has a new version, and its handler, which waits for
// everything else. Nobody blocks on the client meanwhile.
type stream struct {
	// Fixed at birth.
	server  *Server
	grpc    grpc.ServerStream
	id      uint64
	delta   bool
	ads     bool
	only    resource.Type // "" on the aggregated service
	peer    string
	auth    credentials.AuthInfo // nil in plain text
	pace    pace                 // of its connection
	inbound *inbound             // likewise; nil: nothing is known of it
	instant int                  // up to how many unanswered bytes the connection takes a response at once

	failed chan error  // why the stream is to end, cap 1; nil: the client has hung up
	timer  *time.Timer // for the handler; set under mu

	nodeID atomic.Pointer[string] // set once, with the first request
	at     atomic.Uint64          // version of epoch; written under mu; at rest it is what resting has reached

	resting atomic.Pointer[calm] // nil: awake; written under mu and roster.mu
	link    link                 // guarded by roster.mu

	mu         sync.Mutex // guards what follows; let go with unlock
	talk       *conversation
	periods    int // that were over before the first request (hello.go)
	node       *corev3.Node
	whole      string // why it gets large tables as written, as a sentence for users; "": it does not
	assignment Assignment
	era        uint64 // that assignment is of
	shelf      *shelf // nil before the first request, and without a fleet
	epoch      *epoch // nil at rest, so that no old version is kept for those who rest long
	calm       *calm  // where it may rest with the view that it is shown; nil: nowhere
	retained   bool
	sending    bool               // a goroutine of its own waits until the connection has taken a response
	over       bool               // nothing is sent any more
	handed     uint64             // bytes that the connection was given
	armed      time.Time          // when timer fires; zero: not before it is set
	first      deltaplane.Version // that was the newest at the first request
	sentTrace  string             // id of a trace to look the last response up in
}

// serve runs one stream until the client, the connection or the server ends it.
// The goroutine that calls it does nothing but wait, for as long as the stream
// lives: whatever else it called, its stack would keep the room for.
func (s *Server) serve(g grpc.ServerStream, only resource.Type, delta bool) error {
	st := s.newStream(g, only, delta)
	if !s.enter(st) {
		return errClosing
	}
	defer s.leave(st)
	// A CPU profile tells what requests on streams of one kind cost: pprof -tagfocus.
	pprof.SetGoroutineLabels(pprof.WithLabels(g.Context(), st.profiled()))
	return st.live(g.Context().Done())
}

// newStream is a stream of g's that nobody knows of yet.
func (s *Server) newStream(g grpc.ServerStream, only resource.Type, delta bool) *stream {
	st := &stream{
		server: s, grpc: g, id: s.streamIDs.Add(1), delta: delta, ads: only == "", only: only, instant: instantBytes(g),
		failed: make(chan error, 1), timer: time.NewTimer(s.cfg.HelloTimeout),
	}
	if p, ok := peer.FromContext(g.Context()); ok {
		st.peer, st.auth = p.Addr.String(), p.AuthInfo
	}
	connection := s.addressOf(g.Context())
	st.pace, st.inbound = connection.pace, connection.inbound
	st.talk = &conversation{common: &s.common, delta: delta, only: only, prefix: noncePrefix(st.id), observe: st.observe}
	st.look()
	return st
}

var errClosing = status.Error(codes.Unavailable, "the control plane is shutting down")

// live is the handler of the stream; gone closes when the client has.
func (st *stream) live(gone <-chan struct{}) error {
	st.server.goroutines.Go(st.receive)
	defer st.end()
	for {
		select {
		case err := <-st.failed:
			return err
		case <-st.timer.C:
			st.server.goroutines.Go(st.alarm)
		case <-gone:
			return status.FromContextError(st.grpc.Context().Err()).Err()
		case <-st.server.closing:
			return errClosing
		}
	}
}

// alarm is for when the timer has fired.
func (st *stream) alarm() {
	st.lock()
	defer st.unlock()
	st.armed = time.Time{}
	if err := st.greet(); err != nil {
		st.fail(err)
	}
}

// lock locks the stream, and ends its rest.
func (st *stream) lock() {
	st.mu.Lock()
	if st.resting.Load() != nil {
		st.follow()
	}
}

// unlock lets go of the stream, which is then up to date: it is at the newest
// version, and what there is to send has been handed over; or it rests, and
// there is no newer version for it. So whoever finds a stream locked may leave
// a new version to him who has it. st.mu is held.
func (st *stream) unlock() {
	for {
		if st.late() {
			st.follow()
		}
		st.transmit()
		if st.resting.Load() != nil {
			st.epoch, st.talk.view = nil, nil
		}
		st.mu.Unlock()
		if !st.late() || !st.mu.TryLock() {
			return
		}
	}
}

// late reports whether there is a newer version than that of the stream.
func (st *stream) late() bool { return st.server.hub.now.Load().snapshot.Version() > st.reached() }

// reached is the version that the stream has taken up, if only by resting. Any
// goroutine may call.
func (st *stream) reached() deltaplane.Version {
	if c := st.resting.Load(); c != nil {
		version, _ := c.Reached()
		return version
	}
	return deltaplane.Version(st.at.Load())
}

// settle brings the stream to rest, if nothing is to be done for it, and tells
// so. st.mu is held.
func (st *stream) settle() {
	if st.resting.Load() == nil && st.calm != nil && st.talk.atRest() && st.server.hub.roster.settle(st, st.calm) {
		st.observe(Event{Kind: Current, Version: st.talk.version, Rest: st.calm})
	}
}

// fail ends the stream.
func (st *stream) fail(err error) {
	if errors.Is(err, io.EOF) {
		err = nil // the client has hung up
	}
	select {
	case st.failed <- err:
	default: // it ends already
	}
}

// receive reads and takes in requests until the stream ends. It stops reading
// while the connection has used up its share of the processor, so that a
// client cannot make a queue.
func (st *stream) receive() {
	st.lock()
	st.unlock()        // at the version that came while it was made
	var m deltaRequest // memory for one after the other
	for {
		q, err := st.read(&m)
		if err == nil {
			err = st.hear(q)
		}
		if err != nil {
			st.fail(err)
			return
		}
	}
}

// hear takes in a request.
func (st *stream) hear(q request) error {
	st.lock()
	defer st.unlock()
	if st.over {
		return errClosing
	}
	began := st.server.cfg.now()
	err := st.take(q)
	st.pace.spend(st.server.cfg.now().Sub(began), began)
	st.over = err != nil
	return err
}

// take handles one request. What it asks for is answered from the newest
// snapshot that the source has, even if the hub has not got round to it: who
// has heard of a commit and then asks must not be told what was before. st.mu
// is held, here and below.
func (st *stream) take(q request) error {
	if st.node == nil {
		st.catchUp()
	}
	if err := st.identify(q.node); err != nil {
		return err
	}
	asks, err := st.talk.receive(q)
	if asks {
		st.catchUp()
	}
	return err
}

// catchUp goes on to the newest snapshot that there is.
func (st *stream) catchUp() {
	if latest := st.server.source.Latest(); latest.Version() > st.epoch.snapshot.Version() {
		st.server.hub.advance(latest)
		st.follow()
	}
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

// follow goes on to the newest snapshot, awake.
func (st *stream) follow() {
	at := st.resting.Load()
	if at != nil {
		st.talk.reached(st.server.hub.roster.wake(st))
	}
	st.look()
	if st.node != nil && !st.over {
		st.assign()
	}
	if invariant.Enabled && at != nil && at == st.calm {
		invariant.Check(st.talk.holdsAll(), "the client of a stream at rest lacks something of version %d", st.talk.version)
	}
}

// look takes the newest epoch.
func (st *stream) look() {
	st.epoch = st.server.hub.now.Load()
	st.at.Store(uint64(st.epoch.snapshot.Version()))
}

// read waits for a request; m is overwritten.
func (st *stream) read(m *deltaRequest) (request, error) {
	if err := st.pace.admit(st.grpc.Context(), st.server.cfg.now); err != nil {
		return request{}, status.FromContextError(err).Err()
	}
	if st.delta {
		if err := st.grpc.RecvMsg(m); err != nil {
			return request{}, err
		}
		q := fromDelta(m)
		m.resumed = nil
		proto.Reset(&m.DeltaDiscoveryRequest) // the request has what was in it
		return q, nil
	}
	var full discoveryv3.DiscoveryRequest
	if err := st.grpc.RecvMsg(&full); err != nil {
		return request{}, err
	}
	return fromSotW(&full), nil
}

// end tells that the stream is over and gives back what it holds.
func (st *stream) end() {
	st.lock()
	defer st.mu.Unlock()
	st.over = true
	st.timer.Stop()
	if st.node != nil {
		st.observe(Event{Kind: Closed, Version: st.epoch.snapshot.Version()})
	}
	st.talk.close()
	st.server.hub.release(st.shelf)
}
