package fleet_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"

	"github.com/deltaplane/deltaplane/fleet"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/xds"
)

func TestDisconnectedProxiesAreForgottenInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(fleet.Config{})
		first := s.open("first")
		s.close(first)
		time.Sleep(9 * time.Minute)
		s.close(s.open("second"))
		back := s.open("first")
		s.close(back)
		time.Sleep(10*time.Minute - time.Nanosecond)
		if got := len(s.Nodes()); got != 2 {
			t.Errorf("%d proxies are known before ten minutes, want 2", got)
		}
		time.Sleep(time.Nanosecond)
		if got := s.Summary().Disconnected; got != 0 {
			t.Errorf("%d proxies are known after ten minutes, want 0", got)
		}
		if _, ok := s.Node("first"); ok {
			t.Error("a node is found after ten minutes")
		}
	})
}

func TestAProxyThatCameBackIsNotForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(fleet.Config{})
		s.close(s.open("a"))
		s.open("a")
		time.Sleep(time.Hour)
		if got := s.Summary(); got.InSync != 1 || got.Disconnected != 0 {
			t.Errorf("summary %+v, want one connected proxy", got)
		}
	})
}

func TestDisconnectedProxiesAreBoundedInNumberOldestGoFirst(t *testing.T) {
	s := newScene(fleet.Config{MaxDisconnected: 3})
	for i := range 10 {
		s.close(s.open(fmt.Sprint(i)))
	}
	for i := range 10 {
		if _, ok := s.Node(fmt.Sprint(i)); ok != (i >= 7) {
			t.Errorf("node %d known: %v", i, ok)
		}
	}
}

func TestStreamsBeyondTheLimitAreCountedNotTracked(t *testing.T) {
	s := newScene(fleet.Config{MaxStreams: 2})
	a, _, c := s.open("a"), s.open("b"), s.open("c")
	s.does(c, xds.Acked, resource.Cluster, 1)
	if got := s.Summary(); got.InSync != 2 || got.Untracked != 1 {
		t.Errorf("summary %+v, want two tracked and one not", got)
	}
	s.close(c)
	s.close(a)
	s.open("d")
	if got := s.Summary(); got.InSync != 2 || got.Untracked != 0 || got.Disconnected != 1 {
		t.Errorf("summary %+v, want two tracked, and one gone", got)
	}
}

func TestHostileStringsAreCut(t *testing.T) {
	s := newScene(fleet.Config{})
	long := strings.Repeat("é", 1<<20)
	for _, end := range []string{"a", "b"} {
		s.next++
		s.tell(xds.Event{Kind: xds.Opened, Stream: s.next, Peer: long, Node: &corev3.Node{Id: long + end, Cluster: long, UserAgentName: long}})
		names := make([]string, 1000)
		for i := range names {
			names[i] = long
		}
		s.refuse(s.next, resource.Cluster, 1, long, names...)
	}
	list := s.Nodes()
	if len(list) != 2 || list[0].Node == list[1].Node {
		t.Fatalf("two long ids that differ at the end became %d nodes", len(list))
	}
	st, r := list[0], list[0].Types[0].Refusal
	for what, c := range map[string]struct {
		text  string
		limit int
	}{
		"id": {st.Node, 256}, "cluster": {st.Cluster, 256}, "agent": {st.Agent, 256}, "peer": {st.Peer, 256},
		"detail": {r.Detail, 4096}, "resources": {strings.Join(r.Resources, ""), 4096},
	} {
		if len(c.text) > c.limit || len(c.text) < c.limit/2 || !utf8.ValidString(c.text) {
			t.Errorf("%s has %d bytes, valid: %v; want at most %d", what, len(c.text), utf8.ValidString(c.text), c.limit)
		}
	}
	if _, ok := s.Node(long + "a"); !ok {
		t.Error("a node is not found by its long id")
	}
}

// The budget: 10,000 departed nodes with the longest of everything on every
// type take less than 160 MB.
func TestAFloodOfHostileNodesStaysWithinItsBudget(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	s := newScene(fleet.Config{})
	long := strings.Repeat("x", 8<<10)
	for i := range 12_000 {
		s.next++
		s.tell(xds.Event{Kind: xds.Opened, Stream: s.next, Peer: long, Node: &corev3.Node{Id: fmt.Sprint(i) + long, Cluster: long, UserAgentName: long}})
		for _, typ := range resource.Served() {
			s.tell(xds.Event{Kind: xds.Refused, Stream: s.next, Type: typ, Detail: long, Resources: []string{long, long, long}, Fleet: long})
		}
		s.close(s.next)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if got := len(s.Nodes()); got != 10_000 {
		t.Errorf("%d nodes are kept, want 10,000", got)
	}
	if mb := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) >> 20; mb > 160 {
		t.Errorf("a flood of nodes holds %d MB, want at most 160", mb)
	}
}

func TestEventsOfUnknownStreamsAreIgnored(t *testing.T) {
	s := newScene(fleet.Config{})
	for k := xds.Closed; k <= xds.Advanced; k++ {
		s.does(99, k, resource.Cluster, 1)
	}
	id := s.open("a", resource.Cluster)
	s.tell(xds.Event{Kind: xds.Opened, Stream: id, Node: &corev3.Node{Id: "b"}})
	s.close(id)
	s.does(id, xds.Acked, resource.Cluster, 1)
	if got := s.Summary(); got.Disconnected != 1 || got.InSync+got.Behind+got.Refused != 0 {
		t.Errorf("summary %+v, want the one node that was opened and closed", got)
	}
}
