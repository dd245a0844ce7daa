package probe_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane/bench/probe"
)

var labels = probe.Labels{ID: "test", SLA: "20ms"}

// serve runs answer as a server and makes a prober for it.
func serve(t *testing.T, conns int, answer http.HandlerFunc) *probe.Prober {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	p := probe.NewProber(strings.TrimPrefix(server.URL, "http://"), labels, conns)
	t.Cleanup(p.Close)
	return p
}

// oldNew waits for "new" instead of "old".
func oldNew(c probe.Change) probe.Change {
	c.Target = probe.Target{Host: "h.test", Path: "/p"}
	c.Every = 200 * time.Microsecond
	c.Judge = func(a probe.Answer) probe.Verdict {
		switch a.Body {
		case "old":
			return probe.Old
		case "new":
			return probe.New
		}
		return probe.Wrong
	}
	return c
}

func TestAWatchDatesASwitchBetweenTheLastOldAndTheFirstNewAnswer(t *testing.T) {
	var switched atomic.Pointer[time.Time] // when the server decided anew, first
	var changed atomic.Bool
	p := serve(t, 1, func(w http.ResponseWriter, _ *http.Request) {
		if !changed.Load() {
			fmt.Fprint(w, "old")
			return
		}
		now := time.Now()
		switched.CompareAndSwap(nil, &now)
		fmt.Fprint(w, "new")
	})
	seen, err := p.Watch(t.Context(), oldNew(probe.Change{Tail: 2 * time.Millisecond}), func() { changed.Store(true) })
	if err != nil {
		t.Fatal(err)
	}
	at := *switched.Load()
	if !seen.FirstNew.Sent.Before(at) || !seen.FirstNew.Received.After(at) {
		t.Errorf("the first new request is dated %v to %v, the server switched at %v", seen.FirstNew.Sent, seen.FirstNew.Received, at)
	}
	if !seen.LastOld.Received.Before(seen.FirstNew.Sent) || seen.LastOld.Body != "old" {
		t.Errorf("the last old request ended at %v, the first new one was sent at %v", seen.LastOld.Received, seen.FirstNew.Sent)
	}
	if seen.Lost+seen.Misrouted != 0 || seen.Requests < 3 {
		t.Errorf("counted %+v, want an old one, new ones over the tail, and nothing else", seen.Tally)
	}
}

func TestAWatchCountsWhatAChangeMustNotCause(t *testing.T) {
	answers := append([]string{"old", "old", "502", "other", "new"}, slices.Repeat([]string{"old"}, 20)...)
	var n atomic.Int64
	p := serve(t, 1, func(w http.ResponseWriter, _ *http.Request) {
		answer := "new"
		if i := int(n.Add(1)) - 1; i < len(answers) {
			answer = answers[i]
		}
		if answer == "502" {
			http.Error(w, "no upstream", http.StatusBadGateway)
			return
		}
		fmt.Fprint(w, answer)
	})
	seen, err := p.Watch(t.Context(), oldNew(probe.Change{Tail: time.Millisecond}), func() {})
	if err != nil {
		t.Fatal(err)
	}
	if seen.Lost != 1 || seen.Misrouted != 1 || seen.Reasons["502 no upstream\n"] != 1 || seen.Reasons[`answered by "other"`] != 1 {
		t.Errorf("counted %+v, want one lost and one misrouted", seen.Tally)
	}
	if !seen.LastOld.Sent.After(seen.FirstNew.Sent) {
		t.Error("an old answer after the first new one does not count as the last old one")
	}
	if seen.Requests < len(answers)+2 {
		t.Errorf("%d answers after the last old one, which began the tail anew", seen.Requests-len(answers))
	}
}

func TestAHurriedWatchAsksAtOnce(t *testing.T) {
	var changed atomic.Bool
	p := serve(t, 1, func(w http.ResponseWriter, _ *http.Request) {
		if changed.Load() {
			fmt.Fprint(w, "new")
			return
		}
		fmt.Fprint(w, "old")
	})
	hurry := make(chan struct{})
	c := oldNew(probe.Change{Hurry: hurry})
	c.Every = time.Hour // longer than the test
	seen, err := p.Watch(t.Context(), c, func() {
		changed.Store(true)
		close(hurry)
	})
	if err != nil || seen.Requests != 2 || seen.FirstNew.Body != "new" || seen.LastOld.Body != "old" {
		t.Errorf("saw %+v, error %v, want an old answer and then a new one", seen, err)
	}
}

func TestAWatchWaitsForEveryConnection(t *testing.T) {
	var old atomic.Int64
	var slow atomic.Value // address of the one connection that switches late
	p := serve(t, 3, func(w http.ResponseWriter, r *http.Request) {
		if slow.CompareAndSwap(nil, r.RemoteAddr); slow.Load() == r.RemoteAddr && old.Add(1) < 20 {
			fmt.Fprint(w, "old")
			return
		}
		fmt.Fprint(w, "new")
	})
	seen, err := p.Watch(t.Context(), oldNew(probe.Change{Tail: time.Millisecond}), func() {})
	if err != nil {
		t.Fatal(err)
	}
	if old.Load() < 20 || seen.LastOld.Sent.Before(seen.FirstNew.Sent) {
		t.Errorf("the watch ended after %d requests on the connection that switches at its 20th", old.Load())
	}
}

func TestEveryRequestSaysWhatItIsFor(t *testing.T) {
	seen := map[string]bool{}
	p := serve(t, 1, func(w http.ResponseWriter, r *http.Request) {
		seen[r.Header.Get("X-Request-Id")] = true
		fmt.Fprint(w, r.Host+r.URL.Path+" "+r.Header.Get("X-Sla-Target")+" "+r.Header.Get("X-Benchmark-Id"))
	})
	tally := p.Walk(t.Context(), 3, func() (probe.Target, func(probe.Answer) probe.Verdict) {
		return probe.Target{Host: "h.test", Path: "/p"}, func(a probe.Answer) probe.Verdict {
			if a.Body != "h.test/p 20ms test-0" {
				return probe.Wrong
			}
			return probe.New
		}
	})
	if tally.Misrouted+tally.Lost > 0 || len(seen) != 3 || seen[""] {
		t.Errorf("counted %+v, request ids %v", tally, seen)
	}
}

func TestAConnectionThatTheServerEndsWhileIdleLosesNothing(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "new") }))
	idle := make(chan net.Conn, 1)
	server.Config.ConnState = func(c net.Conn, s http.ConnState) {
		if s == http.StateIdle {
			select {
			case idle <- c:
			default:
			}
		}
	}
	server.Start()
	defer server.Close()
	c := probe.NewConn(strings.TrimPrefix(server.URL, "http://"), labels)
	defer c.Close()
	target := probe.Target{Host: "h.test", Path: "/"}
	for range 2 {
		if a, err := c.Do(target); err != nil || a.Body != "new" {
			t.Fatalf("answer %+v, error %v", a, err)
		}
		(<-idle).Close()
	}
}

func TestAWatchThatIsNotAnsweredEndsWithTheLastAnswer(t *testing.T) {
	p := serve(t, 1, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "old") })
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("waited enough")
	_, err := p.Watch(ctx, oldNew(probe.Change{}), func() { cancel(enough) })
	if !errors.Is(err, enough) || !strings.Contains(err.Error(), `200 "old"`) {
		t.Errorf("error is %v, want the cause with the last answer", err)
	}
}

func TestABackendAnswersEveryRequestOnEachOfItsConnectionsAndCloses(t *testing.T) {
	b, err := probe.NewBackend("blue")
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", b.Port())
	p := probe.NewProber(address, labels, 2)
	defer p.Close()
	n := 0
	tally := p.Walk(t.Context(), 10, func() (probe.Target, func(probe.Answer) probe.Verdict) {
		n++
		return probe.Target{Host: "h.test", Path: fmt.Sprintf("/%d", n)}, func(a probe.Answer) probe.Verdict {
			if a.Body == "blue" {
				return probe.New
			}
			return probe.Wrong
		}
	})
	if tally.Requests != 10 || tally.Lost+tally.Misrouted != 0 || n != 10 {
		t.Errorf("counted %+v after %d targets", tally, n)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if _, err := probe.NewConn(address, labels).Do(probe.Target{Host: "h.test", Path: "/"}); err == nil {
		t.Error("it still answers after Close")
	}
}
