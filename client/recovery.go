package client

import (
	"math"
	"slices"
	"time"
)

// State says where a stream stands.
type State int

// The states in the order in which a stream comes to them. A stream that
// fails while it is Connecting, Subscribing or Live is BackingOff, and then
// Connecting again; Idle and Closed are where it begins and ends.
const (
	Idle        State = iota // nothing is subscribed to yet
	Connecting               // waits for the connection
	Subscribing              // has said what it wants and holds; nothing has come yet, as when it holds all of it
	Live                     // the server has answered
	BackingOff               // failed, and waits before it connects again
	Closed                   // for good
)

var stateNames = [...]string{"idle", "connecting", "subscribing", "live", "backing off", "closed"}

// String is s in a few words: "backing off".
func (s State) String() string {
	if s < 0 || int(s) >= len(stateNames) {
		return "unknown"
	}
	return stateNames[s]
}

// recovery decides how a stream comes back after failures. It is pure: time
// and chance come in from outside. What does not fit the state changes nothing.
type recovery struct {
	// Fixed at birth.
	least, most time.Duration  // bounds of every delay
	random      func() float64 // uniform in [0, 1)

	state    State
	before   State     // the one before it
	since    time.Time // when state began
	failures int       // in a row
	failure  error     // the last one, kept until an answer comes
}

func (r *recovery) move(now time.Time, to State, from ...State) bool {
	if !slices.Contains(from, r.state) {
		return false
	}
	r.before, r.state, r.since = r.state, to, now
	return true
}

// connect begins an attempt.
func (r *recovery) connect(now time.Time) bool { return r.move(now, Connecting, Idle, BackingOff) }

// unreachable tells why there is no connection yet. The connection has delays
// of its own, between the same bounds.
func (r *recovery) unreachable(err error) bool {
	if r.state != Connecting {
		return false
	}
	r.failures++
	r.failure = err
	return true
}

// opened tells that the connection has taken the stream.
func (r *recovery) opened(now time.Time) bool { return r.move(now, Subscribing, Connecting) }

// answered tells of a well-formed response: the stream is well, and all
// failures are forgotten.
func (r *recovery) answered(now time.Time) bool {
	if !r.move(now, Live, Subscribing) {
		return false
	}
	r.failures, r.failure = 0, nil
	return true
}

// failed ends an attempt and says how long to wait before the next. The delay
// doubles with each failure in a row and is spread over the upper half of
// what it may be, so that those who failed together do not return together.
// INVARIANT: least ≤ delay ≤ most.
func (r *recovery) failed(now time.Time, err error) (delay time.Duration) {
	// A stream that has lasted was a success, even if there was nothing to say.
	lasted := r.state == Subscribing && now.Sub(r.since) >= r.most
	if !r.move(now, BackingOff, Idle, Connecting, Subscribing, Live) {
		return 0
	}
	if lasted {
		r.failures = 0
	}
	r.failures++
	r.failure = err
	top := float64(r.least) * math.Pow(2, float64(min(r.failures, 62)))
	top = min(top, float64(r.most))
	return min(max(r.least, time.Duration(top*(1+r.random())/2)), r.most)
}

// trouble is the state that the stream is in, or was closed in, and while
// that is without a wire, why; nil in any other.
func (r *recovery) trouble() (State, error) {
	state := r.state
	if state == Closed {
		state = r.before
	}
	if state == Connecting || state == BackingOff {
		return state, r.failure
	}
	return state, nil
}

// close ends the stream for good.
func (r *recovery) close(now time.Time) bool {
	return r.move(now, Closed, Idle, Connecting, Subscribing, Live, BackingOff)
}
