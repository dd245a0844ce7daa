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
	mu     sync.Mutex // guards what follows
	latest *pass
}

// pass is one walk over the streams that were awake when an epoch began, those
// among them whose rest it ended. The roster knows which of them nobody has
// taken yet.
type pass struct {
	epoch *epoch       // fixed at birth
	taken atomic.Int64 // streams

	// Guarded by pushes.mu.
	walking int   // pushers
	hold    *hold // on what clients say; nil: none
}

// stride is how many streams a pusher takes at a time, but for the first few.
// Then it lets others run: the connections' goroutines, which write what there
// is.
const stride = 16

// many is from how many streams on a pass goes before what clients say.
const many = 4 * stride

// push is one pusher: it walks over the streams with each epoch after this one
// until ctx ends. Newer epochs that come meanwhile are one more walk, not
// several.
func (s *Server) push(ctx context.Context, epoch *epoch) {
	var room [stride]*stream
	for {
		select {
		case <-epoch.superseded:
		case <-ctx.Done():
			return
		}
		p, began := s.join(), s.cfg.now()
		for n := 1; ; n = min(2*n, stride) {
			streams := s.hub.roster.next(room[:0:n])
			if len(streams) == 0 {
				break
			}
			s.count(p, len(streams))
			for _, st := range streams {
				st.update()
			}
			clear(streams)
			runtime.Gosched()
		}
		s.finish(p)
		epoch = p.epoch
		now := s.cfg.now()
		s.hub.tempo.draw(now.Sub(began)/time.Duration(runtime.GOMAXPROCS(0)), now, true)
	}
}

// join is the pass of the newest epoch. The caller walks with it until finish.
func (s *Server) join() *pass {
	s.pushes.mu.Lock()
	defer s.pushes.mu.Unlock()
	now := s.hub.now.Load()
	if p := s.pushes.latest; p == nil || p.epoch != now {
		s.hub.roster.begin()
		s.pushes.latest = &pass{epoch: now}
	}
	s.pushes.latest.walking++
	return s.pushes.latest
}

// count takes in that n more streams are visited with p. When they are many,
// what clients say has to wait.
func (s *Server) count(p *pass, n int) {
	s.metrics.visits.Add(float64(n))
	all := p.taken.Add(int64(n))
	if all < many || all-int64(n) >= many {
		return
	}
	s.pushes.mu.Lock()
	defer s.pushes.mu.Unlock()
	p.hold = s.barrier.close()
}

// finish is for when nobody is left to visit. Once no pusher walks any more,
// clients are heard again.
func (s *Server) finish(p *pass) {
	s.pushes.mu.Lock()
	defer s.pushes.mu.Unlock()
	if p.walking--; p.walking == 0 {
		s.barrier.open(p.hold)
	}
}

// update brings the stream to the newest version. Who has it locked does so
// himself.
func (st *stream) update() {
	if st.late() && st.mu.TryLock() {
		st.unlock()
	}
}
