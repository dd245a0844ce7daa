package xds

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/internal/fault"
	"github.com/deltaplane/deltaplane/view"
)

// Source is where the configuration comes from: a deltaplane.Store or
// Publisher.
type Source interface {
	Latest() *deltaplane.Snapshot
	Watch() *deltaplane.Watch
}

// hub derives the views of the assignments in use from each new snapshot, and
// wakes the streams. It carries state, not messages: a stream that is busy
// finds the newest when it looks.
type hub struct {
	// Fixed at birth.
	watch    stopwatch
	tempo    *bucket // of the time that passes over the streams take
	clock    func() time.Time
	steady   Steady // nil: any version may change assignments, and no stream rests
	roster   *roster
	advanced func(*deltaplane.Snapshot) // called once for each that is the newest

	now atomic.Pointer[epoch]

	mu      sync.Mutex // serializes advance, hold and release
	shelves map[string]*shelf
}

// epoch is a snapshot and the channel that closes when a newer one is out.
type epoch struct {
	snapshot   *deltaplane.Snapshot
	era        uint64 // epochs of one era have the same assignments
	superseded chan struct{}
}

// shelf is the place of one assignment's newest view.
type shelf struct {
	key     string
	shown   atomic.Pointer[shown]
	streams int // guarded by hub.mu
}

// shown is a view, and where the streams rest that hold it.
type shown struct {
	view *view.View
	calm *calm // nil: they do not
}

func newHub(s *deltaplane.Snapshot, assigner Assigner, clock func() time.Time, advanced func(*deltaplane.Snapshot)) *hub {
	h := &hub{
		clock: clock, roster: newRoster(), advanced: advanced,
		tempo: newBucket(passShare, passBurst, clock()), shelves: map[string]*shelf{},
	}
	h.steady, _ = assigner.(Steady)
	h.now.Store(&epoch{s, 1, make(chan struct{})})
	return h
}

// follow advances with the source until ctx ends. Where versions come before
// clients have answered those before them, it leaves time between passes over
// the streams: more versions go with each, and who commits them gets to run.
func (h *hub) follow(ctx context.Context, source Source, watch *deltaplane.Watch) {
	for {
		if _, err := watch.Next(ctx); err != nil {
			return
		}
		if h.roster.busy() && h.tempo.await(ctx, h.clock) != nil {
			return
		}
		h.advance(source.Latest())
	}
}

// advance makes s the newest snapshot, unless it is older.
// Cost: O(changes) for each assignment in use.
func (h *hub) advance(s *deltaplane.Snapshot) {
	h.mu.Lock()
	defer h.mu.Unlock()
	old := h.now.Load()
	if s.Version() <= old.snapshot.Version() {
		return
	}
	began := h.watch.begin()
	steady, since := h.steady != nil && h.steady.Same(old.snapshot, s), h.clock()
	era := old.era
	if !steady {
		era++
	}
	turns := make([]turn, 0, len(h.shelves))
	for _, shelf := range h.shelves {
		was := shelf.shown.Load()
		now := &shown{was.view.At(s), was.calm}
		if !steady || !now.view.Same(was.view) {
			now.calm = h.calm(now.view, since)
		}
		shelf.shown.Store(now)
		if was.calm != nil {
			turns = append(turns, turn{was.calm, now})
		}
	}
	fault.Point("xds.views-derived")
	h.roster.advance(turns, since)
	h.now.Store(&epoch{s, era, make(chan struct{})})
	h.watch.end(began, Work{Kind: Derived, Version: s.Version()})
	h.advanced(s)
	close(old.superseded)
}

// calm is where streams may rest that are shown v; nil for nowhere.
func (h *hub) calm(v *view.View, since time.Time) *calm {
	if h.steady == nil {
		return nil
	}
	return newCalm(&reach{v, since})
}

// hold is the shelf for these namespaces and this shaping, nil for clients
// that can have large tables only as they are written; the caller must release
// it.
// Cost: O(resources) for an assignment that nobody has yet.
func (h *hub) hold(namespaces []string, by *deltaplane.Shaping) *shelf {
	key := shelfKey(namespaces, by)
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.shelves[key]
	if s == nil {
		s = &shelf{key: key}
		v := viewOf(h.now.Load().snapshot, namespaces, by)
		s.shown.Store(&shown{v, h.calm(v, h.clock())})
		h.shelves[key] = s
	}
	s.streams++
	return s
}

// shelfKey is what tells assignments apart.
func shelfKey(namespaces []string, by *deltaplane.Shaping) string {
	how := ""
	if by != nil {
		how = fmt.Sprint(*by)
	}
	return how + "\x00" + strings.Join(namespaces, "\x00")
}

// viewOf is what an assignment serves.
func viewOf(s *deltaplane.Snapshot, namespaces []string, by *deltaplane.Shaping) *view.View {
	if by == nil {
		return view.New(s, namespaces)
	}
	return view.NewShapedBy(s, namespaces, *by)
}

// release gives a shelf back; its view goes with its last stream. nil is allowed.
func (h *hub) release(s *shelf) {
	if s == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.streams--; s.streams == 0 {
		delete(h.shelves, s.key)
	}
}
