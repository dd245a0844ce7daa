package client

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
)

// Why an attempt ended that no connection broke.
var (
	errEnded = errors.New("the server ended the stream")
	errAnew  = errors.New("what the server was told about this client is no longer true")
)

// attempt opens the stream once and serves it until it fails, ctx ends, or
// nothing is wanted any more of what it was opened for. It always returns an
// error.
func (st *Stream) attempt(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var receiving sync.WaitGroup
	defer func() {
		cancel()
		receiving.Wait()
	}()
	w, err := st.connect(ctx)
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	receiving.Go(func() { failed <- st.receive(ctx, w) })
	first := true
	for {
		for _, q := range st.requests() {
			if first {
				q.Node, first = st.node, false
			}
			if err := w.SendMsg(q); errors.Is(err, io.EOF) {
				return <-failed // which knows why
			} else if err != nil {
				return err
			}
		}
		notify(st.room)
		if st.mustBeginAnew() {
			return errAnew
		}
		select {
		case <-st.wake:
		case err := <-failed:
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// connect opens the wire and forgets what belonged to the one before.
func (st *Stream) connect(ctx context.Context) (wire, error) {
	st.mu.Lock()
	st.recovery.connect(time.Now())
	st.mu.Unlock()
	w, err := st.open(ctx, func(err error) {
		st.mu.Lock()
		defer st.mu.Unlock()
		st.recovery.unreachable(err)
		st.log.unreachable(ctx, err, st.recovery.failures)
	})
	if err != nil {
		return nil, err
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.recovery.opened(time.Now())
	st.status.Opened++
	st.lanes = slices.DeleteFunc(st.lanes, func(l *lane) bool { return l.left })
	for _, l := range st.lanes {
		l.begin()
	}
	return w, nil
}

func (st *Stream) mustBeginAnew() bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return slices.ContainsFunc(st.lanes, func(l *lane) bool { return l.anew })
}

// receive reads until the stream ends.
func (st *Stream) receive(ctx context.Context, w wire) error {
	for {
		m := new(discoveryv3.DeltaDiscoveryResponse)
		if err := w.RecvMsg(m); errors.Is(err, io.EOF) {
			return errEnded
		} else if err != nil {
			return err
		}
		if err := st.take(ctx, m); err != nil {
			return err
		}
	}
}

// take hands a response to the lane of its type. It waits while too many
// responses of that type are unanswered, so that a client that does not keep
// up makes the server wait rather than queue.
func (st *Stream) take(ctx context.Context, m *discoveryv3.DeltaDiscoveryResponse) error {
	url := m.GetTypeUrl()
	if url == "" {
		url = st.url
	}
	r := parse(m, url, time.Now())
	for {
		if st.offer(url, r) {
			return nil
		}
		select {
		case <-st.room:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// offer reports whether r was taken, or is of no concern.
func (st *Stream) offer(url string, r response) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	i := st.index(url)
	if i < 0 || !st.lanes[i].greeted {
		return true // an answer would subscribe to what is not wanted
	}
	l := st.lanes[i]
	if l.unanswered >= maxUnanswered {
		return false
	}
	if st.recovery.answered(time.Now()) {
		st.log.live()
	}
	st.status.Responses++
	for _, c := range r.changes {
		if c.body != nil {
			st.status.Resources++
		}
	}
	l.take(r)
	notify(l.ready)
	if len(l.replies) > 0 || l.anew {
		notify(st.wake)
	}
	return true
}
