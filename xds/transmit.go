package xds

import (
	"time"

	"google.golang.org/grpc"
)

// A gRPC stream takes messages without blocking until 64 KiB have been given to
// it that the client's windows did not let through yet. What the client has
// answered was let through (nonce.go); so as long as less than this is unanswered, a
// response is handed over at once, and else by a goroutine that may wait.
const instantQuota = 48 << 10

// instantBytes is that for g: nothing is known of streams that are not gRPC's.
func instantBytes(g grpc.ServerStream) int {
	if grpc.ServerTransportStreamFromContext(g.Context()) == nil {
		return -1
	}
	return instantQuota
}

// transmit hands over the next responses, unless one is still on its way into
// the connection, and sets the timer. st.mu is held.
func (st *stream) transmit() {
	for !st.sending && !st.over && st.node != nil && st.resting.Load() == nil {
		now := st.server.cfg.now()
		s := st.talk.next(now)
		if s == nil {
			st.arm(now)
			st.settle()
			return
		}
		st.server.metrics.sent(s, st.talk.view.Time(), now, st.sentTrace)
		instant := int64(st.handed-st.talk.through) <= int64(st.instant)
		st.handed += uint64(s.response.Size())
		if !s.heartbeat {
			s.lane.flight.through = st.handed
		}
		if instant {
			st.sent(s.lane.flight, st.grpc.SendMsg(s.response))
			continue
		}
		st.sending = true
		st.server.goroutines.Go(func() { st.wait(s) })
	}
}

// wait waits until the connection has taken s.
func (st *stream) wait(s *send) {
	flight := s.lane.flight
	err := st.grpc.SendMsg(s.response)
	st.lock()
	defer st.unlock()
	st.sending = false
	st.sent(flight, err)
}

// sent takes in that the connection has a response, or is broken. f is nil for
// a heartbeat. st.mu is held.
func (st *stream) sent(f *flight, err error) {
	f.transmitted(st.server.common.watch)
	if err != nil {
		st.over = true
		st.fail(err)
	}
}

// arm has the handler look when something is due although nothing happens. It
// may look too early, so that the timer is rarely set. st.mu is held.
func (st *stream) arm(now time.Time) {
	at, ok := st.talk.wake(now)
	if ok && (st.armed.IsZero() || at.Before(st.armed)) {
		st.armed = at
		st.timer.Reset(at.Sub(now))
	}
}
