package xds

import (
	"sync"
	"time"

	"github.com/deltaplane/deltaplane/view"
)

// roster is all open streams: those awake, to whom each version is brought,
// and those at rest.
//
// INVARIANT: a stream is in the ring of awake, of ahead or of one calm, and in
// that of a calm only while the calm's view is what it has to be shown.
type roster struct {
	mu      sync.Mutex // innermost lock; guards what follows, and all links
	awake   link
	ahead   link // awake, and still to be visited by the pass that is going on
	visited int  // by the last pass that has begun
}

func newRoster() *roster {
	r := &roster{}
	r.awake.reset()
	r.ahead.reset()
	return r
}

// enter adds a stream, awake.
func (r *roster) enter(st *stream) {
	r.mu.Lock()
	defer r.mu.Unlock()
	st.link.stream = st
	r.awake.add(&st.link)
}

// leave takes a stream out.
func (r *roster) leave(st *stream) {
	r.mu.Lock()
	defer r.mu.Unlock()
	st.link.remove()
}

// settle brings st to rest in c, unless c is over. st.mu is held.
func (r *roster) settle(st *stream, c *calm) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.over {
		return false
	}
	st.link.remove()
	c.streams.add(&st.link)
	st.resting.Store(c)
	return true
}

// wake ends st's rest, and is the view that it has come to. st.mu is held.
func (r *roster) wake(st *stream) *view.View {
	r.mu.Lock()
	defer r.mu.Unlock()
	v := st.resting.Load().reached.Load().view
	st.link.remove()
	r.awake.add(&st.link)
	st.at.Store(uint64(v.Version())) // before resting says otherwise
	st.resting.Store(nil)
	return v
}

// advance ends the rest of all who rest with what a shelf showed, where it
// shows something else now; where it does not, these have come to its view.
// Cost: O(1) for each; none for each stream.
func (r *roster) advance(turns []turn, since time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range turns {
		if t.now.calm == t.was {
			t.was.reached.Store(&reach{t.now.view, since})
			continue
		}
		t.was.over = true
		r.awake.take(&t.was.streams)
	}
}

// turn is what a new version means for those who rest.
type turn struct {
	was *calm
	now *shown
}

// begin has all who are awake visited. Cost: O(1).
func (r *roster) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ahead.take(&r.awake)
	r.visited = 0
}

// next appends the next streams to be visited to into, up to its capacity;
// none when all have been.
func (r *roster) next(into []*stream) []*stream {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(into) < cap(into) && r.ahead.next != &r.ahead {
		l := r.ahead.next
		l.remove()
		r.awake.add(l)
		into = append(into, l.stream)
		r.visited++
	}
	return into
}

// busy reports whether more than a few of those whom the last pass brought a
// version are still awake, most of them because their clients have not answered
// yet, or it has not come to all. Cost: O(streams of that pass).
func (r *roster) busy() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ahead.next != &r.ahead {
		return true
	}
	few := r.visited / 8
	for l := r.awake.next; l != &r.awake; l = l.next {
		if few--; few < 0 {
			return true
		}
	}
	return false
}
