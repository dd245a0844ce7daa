package fleet_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/fleet"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/xds"
)

// waiting is a Wait in progress.
type waiting struct {
	done     chan struct{} // closes after what follows is set
	laggards []fleet.NodeStatus
	err      error
}

// wait starts a Wait and returns when it blocks or is over.
func wait(ctx context.Context, s *scene, v deltaplane.Version) *waiting {
	w := &waiting{done: make(chan struct{})}
	go func() {
		defer close(w.done)
		w.laggards, w.err = s.Wait(ctx, v)
	}()
	synctest.Wait()
	return w
}

// over reports whether the Wait has returned, once all that happens now has.
func (w *waiting) over() bool {
	synctest.Wait()
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}

// expect checks whether a Wait is over, and how it ended.
func (w *waiting) expect(t *testing.T, over bool, err error, laggards ...string) {
	t.Helper()
	if got := w.over(); got != over {
		t.Fatalf("Wait is over: %v, want %v", got, over)
	}
	if !over {
		return
	}
	var ids []string
	for _, st := range w.laggards {
		ids = append(ids, st.Node)
	}
	if !errors.Is(w.err, err) || err == nil && w.err != nil || !slices.Equal(ids, laggards) {
		t.Fatalf("Wait ended with %v, laggards %q; want %v, %q", w.err, ids, err, laggards)
	}
}

const cds, lds = resource.Cluster, resource.Listener

// scenes maps what Wait does, as a sentence about it, to what happens.
type scenes map[string]func(t *testing.T, ctx context.Context, s *scene)

// run plays each scene with a clock of its own.
func (all scenes) run(t *testing.T) {
	for name, play := range all {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				play(t, ctx, newScene(fleet.Config{MaxStreams: 3, Grace: 5 * time.Second}))
			})
		})
	}
}

func TestWaitBlocksUntilAllHoldTheVersion(t *testing.T) {
	scenes{
		"without proxies returns at once": func(t *testing.T, ctx context.Context, s *scene) {
			wait(ctx, s, 5).expect(t, true, nil)
		},
		"returns at once when all hold the version": func(t *testing.T, ctx context.Context, s *scene) {
			s.does(s.open("a", cds), xds.Current, cds, 6)
			wait(ctx, s, 5).expect(t, true, nil)
		},
		"blocks until each type of each proxy is there": func(t *testing.T, ctx context.Context, s *scene) {
			a, b := s.open("a", cds, lds), s.open("b", cds)
			w := wait(ctx, s, 5)
			s.does(a, xds.Current, cds, 5)
			s.does(b, xds.Current, cds, 4)
			s.does(a, xds.Current, lds, 5)
			w.expect(t, false, nil)
			s.does(b, xds.Current, cds, 7)
			w.expect(t, true, nil)
		},
		"takes an acknowledgement for part of a version, and for all before": func(t *testing.T, ctx context.Context, s *scene) {
			a := s.open("a", cds)
			five, six := wait(ctx, s, 5), wait(ctx, s, 6)
			s.does(a, xds.Acked, cds, 5)
			five.expect(t, false, nil)
			s.does(a, xds.Acked, cds, 6)
			five.expect(t, true, nil)
			six.expect(t, false, nil)
			s.does(a, xds.Current, cds, 6)
			six.expect(t, true, nil)
		},
		"waits for a proxy that has not subscribed yet": func(t *testing.T, ctx context.Context, s *scene) {
			a := s.open("a")
			w := wait(ctx, s, 5)
			w.expect(t, false, nil)
			s.tell(xds.Event{Kind: xds.Subscribed, Stream: a, Type: cds, Wildcard: true})
			w.expect(t, false, nil)
			s.does(a, xds.Current, cds, 5)
			w.expect(t, true, nil)
		},
	}.run(t)
}

func TestWaitDoesNotWaitForThoseThatTheVersionDoesNotConcern(t *testing.T) {
	scenes{
		"does not wait for who connects later": func(t *testing.T, ctx context.Context, s *scene) {
			a := s.open("a", cds)
			w := wait(ctx, s, 5)
			s.open("b", cds)
			s.does(a, xds.Current, cds, 5)
			w.expect(t, true, nil)
		},
		"does not wait for a retained proxy": func(t *testing.T, ctx context.Context, s *scene) {
			a, b := s.open("a", cds), s.open("b", cds)
			s.tell(xds.Event{Kind: xds.Current, Stream: b, Type: cds, Version: 3, Retained: true})
			w := wait(ctx, s, 5)
			w.expect(t, false, nil)
			s.tell(xds.Event{Kind: xds.Current, Stream: a, Type: cds, Version: 3, Retained: true})
			w.expect(t, true, nil)
		},
		"does not wait for a subscription that has ended": func(t *testing.T, ctx context.Context, s *scene) {
			a := s.open("a", cds, lds)
			s.does(a, xds.Current, cds, 5)
			w := wait(ctx, s, 5)
			w.expect(t, false, nil)
			s.tell(xds.Event{Kind: xds.Subscribed, Stream: a, Type: lds})
			w.expect(t, true, nil)
		},
	}.run(t)
}

func TestWaitTellsWhoLags(t *testing.T) {
	scenes{
		"ends at once with a refusal": func(t *testing.T, ctx context.Context, s *scene) {
			a := s.open("a", cds)
			s.open("b", cds)
			s.does(s.open("c", cds), xds.Current, cds, 5)
			w := wait(ctx, s, 5)
			s.refuse(a, cds, 4, "an older version")
			w.expect(t, false, nil)
			s.refuse(a, cds, 5, "connect_timeout: must be > 0")
			w.expect(t, true, fleet.ErrRefused, "a", "b")
			if r := w.laggards[0].Types[0].Refusal; r == nil || r.Detail != "connect_timeout: must be > 0" {
				t.Errorf("refusal %+v, want the client's reason", r)
			}
		},
		"ends at once when it was refused before": func(t *testing.T, ctx context.Context, s *scene) {
			s.refuse(s.open("a", cds), cds, 6, "no")
			wait(ctx, s, 5).expect(t, true, fleet.ErrRefused, "a")
		},
		"ends at once with an older refusal that stands": func(t *testing.T, ctx context.Context, s *scene) {
			a := s.open("a", cds)
			s.refuse(a, cds, 5, "connect_timeout: must be > 0")
			s.does(a, xds.Withheld, cds, 5)
			w := wait(ctx, s, 6)
			w.expect(t, false, nil)
			s.does(a, xds.Sent, cds, 6)
			s.tell(xds.Event{Kind: xds.Acked, Stream: a, Type: cds, Version: 6, Standing: true})
			w.expect(t, false, nil)
			s.does(a, xds.Withheld, cds, 6)
			w.expect(t, true, fleet.ErrRefused, "a")
			if r := w.laggards[0].Types[0].Refusal; r == nil || r.Version != 5 {
				t.Errorf("refusal %+v, want that of version 5", r)
			}

			s.arrives(a, cds, 7)
			wait(ctx, s, 7).expect(t, true, nil)
		},
		"is not failed by the refusal of what came after": func(t *testing.T, ctx context.Context, s *scene) {
			a := s.open("a", cds)
			s.does(a, xds.Current, cds, 5)
			s.refuse(a, cds, 6, "no")
			wait(ctx, s, 5).expect(t, true, nil)
			wait(ctx, s, 6).expect(t, true, fleet.ErrRefused, "a")
			wait(ctx, s, 7).expect(t, false, nil)

			s.tell(xds.Event{Kind: xds.Subscribed, Stream: a, Type: lds, Wildcard: true})
			w := wait(ctx, s, 5)
			w.expect(t, false, nil)
			s.does(a, xds.Current, lds, 5)
			w.expect(t, true, nil)
		},
		"ends with its context and tells who lags": func(t *testing.T, ctx context.Context, s *scene) {
			ctx, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			s.open("b", cds)
			s.open("a", cds)
			w := wait(ctx, s, 5)
			time.Sleep(time.Minute - time.Nanosecond)
			w.expect(t, false, nil)
			time.Sleep(time.Nanosecond)
			w.expect(t, true, context.DeadlineExceeded, "a", "b")
		},
		"admits that it cannot speak for streams that are not tracked": func(t *testing.T, ctx context.Context, s *scene) {
			for range 4 {
				s.does(s.open("a", cds), xds.Current, cds, 5)
			}
			wait(ctx, s, 5).expect(t, true, fleet.ErrUntracked)
		},
	}.run(t)
}

func TestWaitOutlivesReconnects(t *testing.T) {
	scenes{
		"gives up a proxy that does not come back": func(t *testing.T, ctx context.Context, s *scene) {
			a, b := s.open("a", cds), s.open("b", cds)
			w := wait(ctx, s, 5)
			s.close(a)
			time.Sleep(3 * time.Second)
			s.close(b)
			time.Sleep(3 * time.Second)
			w.expect(t, false, nil)
			time.Sleep(2 * time.Second)
			w.expect(t, true, fleet.ErrLost, "a", "b")
			if w.laggards[0].State != fleet.Disconnected {
				t.Errorf("state %s, want disconnected", w.laggards[0].State)
			}
		},
		"forgives a proxy that comes back late, while it waits for another": func(t *testing.T, ctx context.Context, s *scene) {
			a, b := s.open("a", cds), s.open("b", cds)
			w := wait(ctx, s, 5)
			s.close(a)
			time.Sleep(time.Minute)
			a = s.open("a", cds)
			s.does(a, xds.Current, cds, 5)
			w.expect(t, false, nil)
			s.does(b, xds.Current, cds, 5)
			w.expect(t, true, nil)
		},
		"waits on the new streams for all that the old ones had": func(t *testing.T, ctx context.Context, s *scene) {
			a := s.open("a", cds, lds)
			w := wait(ctx, s, 5)
			s.close(a)
			a = s.open("a", cds)
			s.does(a, xds.Current, cds, 5)
			time.Sleep(time.Minute)
			w.expect(t, false, nil)
			s.does(a, xds.Current, lds, 5)
			w.expect(t, true, nil)
		},
		"is not misled when a new stream opens before the old one's end": func(t *testing.T, ctx context.Context, s *scene) {
			old := s.open("a", cds, lds)
			w := wait(ctx, s, 5)
			young := s.open("a")
			s.close(old)
			w.expect(t, false, nil)
			s.does(young, xds.Current, cds, 5)
			w.expect(t, false, nil)
			s.does(young, xds.Current, lds, 5)
			w.expect(t, true, nil)
		},
		"goes on when one of several streams ends": func(t *testing.T, ctx context.Context, s *scene) {
			one, two := s.next+1, s.next+2
			for id, typ := range map[uint64]resource.Type{one: cds, two: lds} {
				s.tell(xds.Event{Kind: xds.Opened, Stream: id})
				s.tell(xds.Event{Kind: xds.Subscribed, Stream: id, Type: typ, Wildcard: true})
			}
			w := wait(ctx, s, 5)
			s.does(one, xds.Current, cds, 5)
			w.expect(t, false, nil)
			s.close(two)
			w.expect(t, true, nil)
		},
	}.run(t)
}

func TestSeveralWaitsForOneProxyDoNotMeet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(fleet.Config{})
		a := s.open("a", resource.Cluster)
		ctx, cancel := context.WithCancel(t.Context())
		gone, five, six := wait(ctx, s, 5), wait(t.Context(), s, 5), wait(t.Context(), s, 6)
		cancel()
		gone.expect(t, true, context.Canceled, "a")
		five.expect(t, false, nil)
		s.does(a, xds.Current, resource.Cluster, 5)
		five.expect(t, true, nil)
		six.expect(t, false, nil)
		s.refuse(a, resource.Cluster, 6, "no")
		six.expect(t, true, fleet.ErrRefused, "a")
	})
}
