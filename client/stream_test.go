package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
)

const clusterURL = typeURLPrefix + "envoy.config.cluster.v3.Cluster"

// stage is a stream over a wire that the test holds the other end of.
type stage struct {
	t        *testing.T
	stream   *Stream
	attempts chan *attempted // each call of open, which blocks until it is answered
}

// attempted is one call of open.
type attempted struct {
	unreachable func(error)
	answer      chan error // nil: the wire is there
	wire        *fakeWire
}

// fakeWire is a wire in memory without any buffer.
type fakeWire struct {
	ctx  context.Context
	sent chan *discoveryv3.DeltaDiscoveryRequest
	come chan *discoveryv3.DeltaDiscoveryResponse
	fail chan error
}

func (w *fakeWire) SendMsg(m any) error {
	select {
	case w.sent <- proto.CloneOf(m.(*discoveryv3.DeltaDiscoveryRequest)):
		return nil
	case <-w.ctx.Done():
		return w.ctx.Err()
	}
}

func (w *fakeWire) RecvMsg(m any) error {
	select {
	case r := <-w.come:
		proto.Merge(m.(proto.Message), r)
		return nil
	case err := <-w.fail:
		return err
	case <-w.ctx.Done():
		return w.ctx.Err()
	}
}

func newStage(ctx context.Context, t *testing.T) *stage {
	s := &stage{t: t, attempts: make(chan *attempted)}
	cfg := Config{Logger: slog.New(slog.DiscardHandler), BackoffMin: 100 * time.Millisecond, BackoffMax: 5 * time.Second}.withDefaults()
	s.stream = newStream(&cfg, "", func(ctx context.Context, unreachable func(error)) (wire, error) {
		a := &attempted{unreachable: unreachable, answer: make(chan error), wire: &fakeWire{
			ctx: ctx, sent: make(chan *discoveryv3.DeltaDiscoveryRequest), come: make(chan *discoveryv3.DeltaDiscoveryResponse), fail: make(chan error)}}
		select {
		case s.attempts <- a:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		select {
		case err := <-a.answer:
			return a.wire, err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	})
	s.stream.recovery.random = func() float64 { return 1 }
	s.stream.start(ctx, func() {})
	return s
}

func (s *stage) is(want State) {
	s.t.Helper()
	synctest.Wait()
	if got := s.stream.Status().State; got != want {
		s.t.Fatalf("the stream is %s, want %s", got, want)
	}
}

// opened lets the stream open and returns its wire and first request.
func (s *stage) opened() (*fakeWire, *discoveryv3.DeltaDiscoveryRequest) {
	a := <-s.attempts
	a.answer <- nil
	return a.wire, <-a.wire.sent
}

// have is a response with clusters, all at one version.
func have(nonce, version string, ttl time.Duration, names ...string) *discoveryv3.DeltaDiscoveryResponse {
	m := &discoveryv3.DeltaDiscoveryResponse{TypeUrl: clusterURL, Nonce: nonce}
	for _, name := range names {
		body, err := anypb.New(&clusterv3.Cluster{Name: name, AltStatName: version})
		if err != nil {
			panic(err)
		}
		r := &discoveryv3.Resource{Name: name, Version: version, Resource: body}
		if ttl > 0 {
			r.Ttl = durationpb.New(ttl)
		}
		m.Resources = append(m.Resources, r)
	}
	return m
}

// told is u in a line: "+a=v1 -b".
func told(u *Update[*clusterv3.Cluster]) (s string) {
	for _, r := range u.Resources {
		s += fmt.Sprintf("+%s=%s ", r.Name, r.Message.GetAltStatName())
	}
	for _, name := range u.Removed {
		s += "-" + name + " "
	}
	return s
}

// following hands out what a watcher says, line by line, and its end.
func following(ctx context.Context, t *testing.T, src Source, verdict func(*Update[*clusterv3.Cluster]), names ...string) (<-chan string, <-chan error) {
	lines, end := make(chan string), make(chan error, 1)
	go func() {
		defer close(lines)
		for u, err := range Watch[*clusterv3.Cluster](ctx, src, names...) {
			if err != nil {
				end <- err
				return
			}
			lines <- told(u)
			if verdict != nil {
				verdict(u)
			}
		}
	}()
	return lines, end
}

func TestAStreamGoesThroughItsStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t.Context(), t)
		s.is(Idle)
		lines, end := following(t.Context(), t, s.stream, nil, "a", "b")
		s.is(Connecting)
		wire, hello := s.opened()
		s.is(Subscribing)
		if hello.GetNode().GetId() == "" || !slices.Equal(hello.ResourceNamesSubscribe, []string{"a", "b"}) || len(hello.InitialResourceVersions) != 0 {
			t.Errorf("the first request is %v", hello)
		}
		wire.come <- have("1", "v1", 0, "a")
		if got := <-lines; got != "+a=v1 " {
			t.Errorf("the update says %q", got)
		}
		if ack := <-wire.sent; ack.ResponseNonce != "1" || ack.ErrorDetail != nil || ack.Node != nil || len(ack.ResourceNamesSubscribe) > 0 {
			t.Errorf("the answer is %v", ack)
		}
		s.is(Live)

		began := time.Now()
		wire.fail <- errTest
		s.is(BackingOff)
		if status := s.stream.Status(); !errors.Is(status.Failure, errTest) || status.Failures != 1 {
			t.Errorf("the status is %+v", status)
		}
		_, hello = s.opened()
		if waited := time.Since(began); waited != 200*time.Millisecond {
			t.Errorf("the stream came back after %s", waited)
		}
		if !slices.Equal(hello.ResourceNamesSubscribe, []string{"a", "b"}) || len(hello.InitialResourceVersions) != 1 || hello.InitialResourceVersions["a"] != "v1" {
			t.Errorf("it comes back with %v", hello)
		}
		s.stream.Close()
		s.is(Closed)
		if err := <-end; !errors.Is(err, ErrClosed) {
			t.Errorf("the watch ends with %v", err)
		}
	})
}

func TestDelaysGrowWhileAServerEndsEveryStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t.Context(), t)
		following(t.Context(), t, s.stream, nil)
		var delays []time.Duration
		for range 7 {
			wire, _ := s.opened()
			wire.fail <- errTest
			began := time.Now()
			a := <-s.attempts
			delays = append(delays, time.Since(began)/time.Millisecond)
			a.answer <- errTest // which makes another delay
		}
		if want := []time.Duration{200, 800, 3200, 5000, 5000, 5000, 5000}; !slices.Equal(delays, want) {
			t.Errorf("delays of %v ms, want %v", delays, want)
		}
		s.stream.Close()
	})
}

func TestWhyThereIsNoConnectionIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t.Context(), t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, end := following(ctx, t, s.stream, nil)
		(<-s.attempts).unreachable(errTest)
		if status := s.stream.Status(); status.State != Connecting || !errors.Is(status.Failure, errTest) {
			t.Errorf("the status is %+v", status)
		}
		if err := <-end; !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, errTest) {
			t.Errorf("the watch ends with %v, want the deadline and the reason", err)
		}
		s.stream.Close()
	})
}

// In whichever state the context ends, the watch ends with it and nothing is
// left: the bubble would not end otherwise.
func TestACancelEndsAWatchInEveryState(t *testing.T) {
	for state, reach := range map[State]func(*stage, <-chan string){
		Connecting:  func(s *stage, _ <-chan string) { <-s.attempts },
		Subscribing: func(s *stage, _ <-chan string) { s.opened() },
		Live: func(s *stage, lines <-chan string) {
			wire, _ := s.opened()
			wire.come <- have("1", "v1", 0, "a")
			<-lines // and its answer is never read
		},
		BackingOff: func(s *stage, _ <-chan string) { (<-s.attempts).answer <- errTest },
	} {
		for what, end := range map[string]func(context.CancelFunc, *stage) error{
			"the context": func(cancel context.CancelFunc, _ *stage) error { cancel(); return context.Canceled },
			"the stream":  func(_ context.CancelFunc, s *stage) error { s.stream.Close(); return ErrClosed },
		} {
			t.Run(what+" while "+state.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					s := newStage(ctx, t)
					lines, ended := following(ctx, t, s.stream, nil)
					reach(s, lines)
					s.is(state)
					want := end(cancel, s)
					if err := <-ended; !errors.Is(err, want) {
						t.Errorf("the watch ends with %v, want %v", err, want)
					}
					<-s.stream.done
				})
			})
		}
	}
}
