package client

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/proto"
)

// Stream is a delta stream that recovers by itself: it is opened when
// something is watched on it, and again after each failure, with everything
// that is held. All methods may be called from any goroutine.
type Stream struct {
	// Fixed at birth.
	node   *corev3.Node
	url    string // of its only type; "" on the aggregated service
	open   opener
	log    logger
	cancel context.CancelCauseFunc
	done   chan struct{} // closed when run has ended
	wake   chan struct{} // cap 1: there is something to say
	room   chan struct{} // cap 1: there may be room for a response

	mu       sync.Mutex // guards all below
	lanes    []*lane    // one for each type
	recovery recovery
	status   Status // its counters
	ended    error  // why run has ended, once it has
}

// lane is a subscription with its events. Its subscription is guarded by the
// stream's mu.
type lane struct {
	subscription
	ready chan struct{} // cap 1: next may have something
	gone  chan struct{} // closed when the watcher has left
	why   error         // it left
}

// wire is one gRPC stream. SendMsg and RecvMsg are called from a goroutine
// each, and end with the context that it was opened with.
type wire interface {
	SendMsg(m any) error
	RecvMsg(m any) error
}

// opener opens a wire, which ctx ends. It blocks until there is a connection,
// and tells meanwhile why there is none.
type opener func(ctx context.Context, unreachable func(error)) (wire, error)

func newStream(cfg *Config, url string, open opener) *Stream {
	return &Stream{
		node: proto.CloneOf(cfg.Node), url: url, open: open,
		log:  logger{cfg.Logger, shortURL(url)},
		done: make(chan struct{}), wake: make(chan struct{}, 1), room: make(chan struct{}, 1),
		recovery: recovery{least: cfg.BackoffMin, most: cfg.BackoffMax, random: rand.Float64, since: time.Now()},
	}
}

// start runs the stream until ctx ends or Close is called, and calls ended
// then.
func (st *Stream) start(ctx context.Context, ended func()) {
	ctx, st.cancel = context.WithCancelCause(ctx)
	go func() {
		defer close(st.done)
		defer ended()
		defer st.cancel(nil)
		st.run(ctx)
		st.mu.Lock()
		defer st.mu.Unlock()
		st.recovery.close(time.Now())
		st.ended = context.Cause(ctx)
	}()
}

// Close ends the stream and everything that is watched on it, and waits until
// nothing of it is left.
func (st *Stream) Close() {
	st.cancel(ErrClosed)
	<-st.done
}

// Status is how the stream fares.
func (st *Stream) Status() Status {
	st.mu.Lock()
	defer st.mu.Unlock()
	s := st.status
	s.State, s.Since = st.recovery.state, st.recovery.since
	s.Failures, s.Failure = st.recovery.failures, st.recovery.failure
	return s
}

// run opens the stream again and again.
func (st *Stream) run(ctx context.Context) {
	for st.awaitPurpose(ctx) {
		err := st.attempt(ctx)
		if ctx.Err() != nil {
			return
		}
		st.mu.Lock()
		delay := st.recovery.failed(time.Now(), err)
		failures := st.recovery.failures
		st.mu.Unlock()
		st.log.failed(ctx, err, failures, delay)
		if !sleep(ctx, delay) {
			return
		}
	}
}

// awaitPurpose waits until something is wanted; false when ctx ends first.
func (st *Stream) awaitPurpose(ctx context.Context) bool {
	for ctx.Err() == nil {
		if st.hasPurpose() {
			return true
		}
		select {
		case <-st.wake:
		case <-ctx.Done():
		}
	}
	return false
}

func (st *Stream) hasPurpose() bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return slices.ContainsFunc(st.lanes, func(l *lane) bool { return len(l.wanted) > 0 })
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// join adds a type to the stream.
func (st *Stream) join(url string, names []string) (*lane, error) {
	l := &lane{subscription: *newSubscription(url, names), ready: make(chan struct{}, 1), gone: make(chan struct{})}
	st.mu.Lock()
	defer st.mu.Unlock()
	if i := st.index(url); i >= 0 {
		if !st.lanes[i].left {
			return nil, fmt.Errorf("%s: %w", shortURL(url), ErrWatched)
		}
		l.inherit(&st.lanes[i].subscription)
		st.lanes[i] = l
	} else {
		st.lanes = append(st.lanes, l)
	}
	notify(st.wake)
	return l, nil
}

// part takes l off the stream, for the reason why; once more does nothing.
func (st *Stream) part(l *lane, why error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if !l.left {
		l.leave()
		l.why = why
		close(l.gone)
		notify(st.wake)
	}
}

// index is where the lane of a type is; -1 if nowhere. st.mu is held.
func (st *Stream) index(url string) int {
	return slices.IndexFunc(st.lanes, func(l *lane) bool { return l.url == url })
}

// requests is what there is to say now.
func (st *Stream) requests() (all []*discoveryv3.DeltaDiscoveryRequest) {
	st.mu.Lock()
	defer st.mu.Unlock()
	now := time.Now()
	for _, l := range st.lanes {
		if !l.greeted {
			l.expire(now)
		}
		all = append(all, l.requests()...)
	}
	return all
}

// notify leaves one token, which stands for any number of events.
func notify(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
