package xds

import (
	"context"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
)

// scribe is a Tracer that writes down what it hears.
type scribe struct {
	mu     sync.Mutex
	work   []Work
	events []Event
	acked  chan struct{} // one for each acknowledgement
}

func (s *scribe) Worked(w Work) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.work = append(s.work, w)
}

func (s *scribe) Pushed(e Event) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
	if e.Kind == Acked {
		s.acked <- struct{}{}
	}
	return "0af7651916cd43dd8448eb211c80319c"
}

func (s *scribe) Within(ctx context.Context, _ deltaplane.Version) context.Context { return ctx }

// answer takes one response and accepts it.
func (c client) answer() {
	c.t.Helper()
	m, err := c.Recv()
	if err == nil {
		err = c.Send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: m.GetTypeUrl(), ResponseNonce: m.GetNonce()})
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

func TestATracerHearsOfSharedWorkOnceAndOfEachPush(t *testing.T) {
	log := &scribe{acked: make(chan struct{}, 10)}
	registry := prometheus.NewRegistry()
	p := newPlane(t, Config{Tracer: log, Registerer: registry}, cluster("a", 0))
	clients := []client{p.client(t, "1"), p.client(t, "2")}
	for _, c := range clients {
		c.say(map[bool]string{true: "1", false: "2"}[c == clients[0]], resource.Cluster, "*")
		c.answer()
		<-log.acked
	}
	p.store.put(t, cluster("a", 1))
	p.store.commit()
	for _, c := range clients {
		c.answer()
		<-log.acked
	}
	log.mu.Lock()
	defer log.mu.Unlock()
	count := map[WorkKind]int{}
	for _, w := range log.work {
		if w.Version == 2 {
			count[w.Kind]++
		}
		if w.Began.IsZero() || w.Ended.Before(w.Began) {
			t.Errorf("work goes from %s to %s", w.Began, w.Ended)
		}
	}
	if count[Derived] != 1 || count[Encoded] != 1 || count[Diffed] < 1 {
		t.Errorf("of version 2 it hears %d times that views were derived, %d of differences, %d of encodings", count[Derived], count[Diffed], count[Encoded])
	}
	kinds := map[Kind]int{}
	for _, e := range log.events {
		kinds[e.Kind]++
		if e.Pushed != (e.Version == 2) || e.After != e.Version-1 || e.First != 1 || e.Committed.IsZero() {
			t.Errorf("of version %d it hears that it is pushed: %t, after %d, on a stream since %d, committed at %s", e.Version, e.Pushed, e.After, e.First, e.Committed)
		}
		if e.Kind == Acked && (e.SentAt.IsZero() || e.Time.Before(e.SentAt) || e.Transmitted.Before(e.SentAt) && !e.Transmitted.IsZero()) {
			t.Errorf("it was sent at %s, transmitted at %s and answered at %s", e.SentAt, e.Transmitted, e.Time)
		}
	}
	if kinds[Sent] != 4 || kinds[Acked] != 4 || len(kinds) != 2 {
		t.Errorf("it hears of %v", kinds)
	}
	if id := exemplar(t, registry, "deltaplane_push_seconds"); id != "0af7651916cd43dd8448eb211c80319c" {
		t.Errorf("the latency of a push points to the trace %q", id)
	}
}

// exemplar is the trace that some bucket of a histogram points to.
func exemplar(t *testing.T, from prometheus.Gatherer, name string) (id string) {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, b := range f.GetMetric()[0].GetHistogram().GetBucket() {
			for _, l := range b.GetExemplar().GetLabel() {
				id = l.GetValue()
			}
		}
	}
	return id
}

// A lane whose response is in flight gets what has piled up in one response.
func TestAMergedResponseSaysWhichVersionsItBrings(t *testing.T) {
	var events []Event
	var s store
	s.put(t, cluster("a", 0))
	at := s.commit()
	m := talk(t, at, func(e Event) { events = append(events, e) })
	first := m.next(time.Now())
	for n := range 3 {
		s.put(t, cluster("a", n+1))
		at = s.commit()
	}
	m.show(viewAt(at), at.Version(), false)
	if _, err := m.receive(request{typeURL: resource.Cluster.URL(), nonce: first.response.Nonce}); err != nil {
		t.Fatal(err)
	}
	m.next(time.Now())
	last := events[len(events)-1]
	if last.Kind != Sent || last.After != 1 || last.Version != 4 || !last.Pushed {
		t.Errorf("the last event is %d, of the versions after %d up to %d, pushed: %t", last.Kind, last.After, last.Version, last.Pushed)
	}
}

func TestWithoutATracerNothingIsTimedOrAllocated(t *testing.T) {
	var off stopwatch
	if !off.begin().IsZero() {
		t.Error("it looks at the clock")
	}
	ctx, e, f := t.Context(), Event{Kind: Acked}, &flight{}
	if n := testing.AllocsPerRun(100, func() {
		off.end(off.begin(), Work{Kind: Diffed})
		off.pushed(&e)
		off.within(ctx, 1)
		f.transmitted(off)
	}); n > 0 {
		t.Errorf("it allocates %v times", n)
	}
	if f.taken.Load() != 0 {
		t.Error("it notes when the connection has a response")
	}
}

func viewAt(s *deltaplane.Snapshot) *view.View {
	return view.New(s, []string{deltaplane.DefaultNamespace})
}

// talk is a conversation whose client has asked for all clusters.
func talk(t *testing.T, at *deltaplane.Snapshot, observe func(Event)) *conversation {
	t.Helper()
	c := &conversation{common: &common{patience: time.Second, maxResponse: 4 << 20, maxNames: 10, maxNamesInAll: 10}, delta: true, observe: observe}
	c.show(viewAt(at), at.Version(), false)
	if _, err := c.receive(request{typeURL: resource.Cluster.URL(), subscribe: []string{"*"}}); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestProfilesTellStreamsOfEachKindApart(t *testing.T) {
	p := newPlane(t, Config{}, cluster("a", 0))
	c := p.client(t, "1")
	c.say("1", resource.Cluster, "*")
	c.answer()
	var profile strings.Builder
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(profile.String(), `{"api":"ads", "variant":"delta"}`) {
		t.Errorf("no goroutine is one of a delta stream on ADS:\n%s", profile.String())
	}
}
