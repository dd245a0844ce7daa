package xds

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// pushes brings new versions to the streams. As many pushers as there are
// processors share a pass over all streams, so that a stream costs no wake-up
// of a goroutine of its own, and one that takes long keeps one pusher busy and
// no other stream waiting.
type pushes struct {
	mu     sync.Mutex // guards latest
	latest *pass
}

// pass is one walk over the streams that were awake when an epoch began, those
// among them whose rest it ended.
type pass struct {
	// Fixed at birth.
	epoch   *epoch
	streams []*stream

	next atomic.Int64 // index of the stream that nobody has taken yet
}

// stride is after how many streams a pusher lets others run: the connections'
// goroutines, which then write what there is.
const stride = 16

// push is one pusher: it walks over the streams with each epoch after this one
// until ctx ends. Newer epochs that come meanwhile are one more walk, not
// several.
func (s *Server) push(ctx context.Context, epoch *epoch) {
	for {
		select {
		case <-epoch.superseded:
		case <-ctx.Done():
			return
		}
		p, began := s.pass(), s.cfg.now()
		for i := p.next.Add(1) - 1; i < int64(len(p.streams)); i = p.next.Add(1) - 1 {
			p.streams[i].update()
			if i%stride == stride-1 {
				runtime.Gosched()
			}
		}
		epoch = p.epoch
		now := s.cfg.now()
		s.hub.tempo.draw(now.Sub(began)/time.Duration(runtime.GOMAXPROCS(0)), now, true)
	}
}

// pass is that of the newest epoch.
func (s *Server) pass() *pass {
	s.pushes.mu.Lock()
	defer s.pushes.mu.Unlock()
	now := s.hub.now.Load()
	if p := s.pushes.latest; p != nil && p.epoch == now {
		return p
	}
	p := &pass{epoch: now, streams: s.hub.roster.list()}
	s.metrics.visits.Add(float64(len(p.streams)))
	s.pushes.latest = p
	return p
}

// update brings the stream to the newest version. Who has it locked does so
// himself.
func (st *stream) update() {
	if st.late() && st.mu.TryLock() {
		st.unlock()
	}
}
