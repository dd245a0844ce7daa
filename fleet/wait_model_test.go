package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/fleet"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/xds"
)

// move is one event of a random history, for the stream of a node by number.
// What cannot happen to the stream as it is is left out.
type move struct {
	node    int
	kind    xds.Kind
	typ     resource.Type
	version deltaplane.Version
}

var moves = rapid.Custom(func(t *rapid.T) move {
	return move{
		rapid.IntRange(0, 2).Draw(t, "node"),
		rapid.SampledFrom([]xds.Kind{xds.Opened, xds.Closed, xds.Subscribed, xds.Acked, xds.Acked, xds.Current, xds.Current, xds.Refused, xds.Withheld}).Draw(t, "kind"),
		rapid.SampledFrom([]resource.Type{resource.Cluster, resource.Listener}).Draw(t, "type"),
		deltaplane.Version(rapid.IntRange(4, 6).Draw(t, "version")),
	}
})

// modelNode is the plain truth about one proxy: what is held of the types
// that are subscribed to, and refused.
type modelNode struct {
	stream  uint64 // 0: closed
	held    map[resource.Type]deltaplane.Version
	refused map[resource.Type]deltaplane.Version
	lacking map[resource.Type]deltaplane.Version // newest that lacks what was refused
	waited  bool                                 // a Wait began while it was connected, and it has not held all since
	need    map[resource.Type]bool
}

const wanted = deltaplane.Version(5)

// look updates what a Wait must think of the node, and reports a refusal.
func (n *modelNode) look() (refused bool) {
	if n.stream == 0 || !n.waited {
		return false
	}
	all := len(n.held) > 0
	for typ, v := range n.held {
		all = all && v >= wanted
		refused = refused || v < wanted && max(n.refused[typ], n.lacking[typ]) >= wanted
	}
	for typ := range n.need {
		_, there := n.held[typ]
		all = all && there
	}
	if all {
		n.waited = false
	}
	return refused
}

// play does a move in the model and tells the fleet.
func (n *modelNode) play(s *scene, m move) {
	if n.stream == 0 {
		if m.kind == xds.Opened {
			n.stream = s.open(fmt.Sprint(m.node))
			n.lacking = map[resource.Type]deltaplane.Version{}
			n.held, n.refused = map[resource.Type]deltaplane.Version{}, map[resource.Type]deltaplane.Version{}
		}
		return
	}
	switch m.kind {
	case xds.Opened:
		return
	case xds.Closed:
		s.close(n.stream)
		n.stream = 0
		return
	case xds.Subscribed:
		n.held[m.typ] += 0
		s.tell(xds.Event{Kind: m.kind, Stream: n.stream, Type: m.typ, Names: 1})
		return
	case xds.Refused:
		n.held[m.typ] = min(n.held[m.typ], m.version-1)
		n.refused[m.typ] = m.version
		delete(n.lacking, m.typ)
	case xds.Acked:
		n.held[m.typ] = max(n.held[m.typ], m.version-1)
		if n.refused[m.typ] < m.version {
			delete(n.refused, m.typ)
			delete(n.lacking, m.typ)
		}
	case xds.Withheld:
		if n.refused[m.typ] == 0 {
			return
		}
		n.lacking[m.typ] = max(n.lacking[m.typ], m.version)
	case xds.Current:
		n.held[m.typ] = max(n.held[m.typ], m.version)
		if n.refused[m.typ] <= m.version {
			delete(n.refused, m.typ)
			delete(n.lacking, m.typ)
		}
	}
	s.does(n.stream, m.kind, m.typ, m.version)
}

// history runs moves, with a Wait that starts in the middle, and returns what
// Wait did otherwise than the model.
func history(t *testing.T, before, after []move) (problem string) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(fleet.Config{})
		nodes := []*modelNode{{}, {}, {}}
		for _, m := range before {
			nodes[m.node].play(s, m)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		w := wait(ctx, s, wanted)
		for _, n := range nodes {
			n.waited = n.stream != 0
			n.need = map[resource.Type]bool{}
			if n.waited {
				for typ := range n.held {
					n.need[typ] = true
				}
			}
		}
		check := func() bool {
			ended, refused := w.over(), false
			var pending []string
			for i, n := range nodes {
				refused = n.look() || refused
				if n.waited {
					pending = append(pending, fmt.Sprint(i))
				}
			}
			over := refused || len(pending) == 0
			if ended != over {
				problem = fmt.Sprintf("Wait is over: %v, refused: %v, pending: %q", ended, refused, pending)
			} else if over {
				var got []string
				for _, st := range w.laggards {
					got = append(got, st.Node)
				}
				if !slices.Equal(got, pending) || errors.Is(w.err, fleet.ErrRefused) != refused || (w.err == nil) != (len(pending) == 0) {
					problem = fmt.Sprintf("laggards %q, error %v; want %q, refused: %v", got, w.err, pending, refused)
				}
			}
			return over || problem != ""
		}
		for i := 0; !check() && i < len(after); i++ {
			nodes[after[i].node].play(s, after[i])
		}
		cancel()
		if !w.over() && problem == "" {
			problem = "Wait goes on after its context"
		}
	})
	return problem
}

// A history is cheap and its interesting ends are rare: more runs than usual.
func TestWaitEndsExactlyWhenAModelSays(t *testing.T) {
	for range 10 {
		rapid.Check(t, func(rt *rapid.T) {
			before := rapid.SliceOfN(moves, 0, 30).Draw(rt, "before")
			after := rapid.SliceOfN(moves, 0, 60).Draw(rt, "after")
			if problem := history(t, before, after); problem != "" {
				rt.Fatal(problem)
			}
		})
	}
}
