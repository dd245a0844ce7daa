package bench

import (
	"context"
	"sync"
	"time"

	"github.com/deltaplane/deltaplane/bench/probe"
)

// walker asks for all routes in turn, at a low rate, and checks where the
// requests end up. It asks one side at a time, the one that is measured.
type walker struct {
	mu   sync.Mutex // held while a request is under way
	side *side      // nil: nobody is asked

	quit    chan struct{}
	walking sync.WaitGroup
}

// startWalker starts one that asks nobody. The caller must call stop.
func startWalker(ctx context.Context, rate int) *walker {
	w := &walker{quit: make(chan struct{})}
	w.walking.Go(func() { w.run(ctx, rate) })
	return w
}

func (w *walker) run(ctx context.Context, rate int) {
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-tick.C:
			w.step(ctx, n)
		case <-w.quit:
			return
		case <-ctx.Done():
			return
		}
	}
}

// step makes one request.
func (w *walker) step(ctx context.Context, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.side; s != nil {
		s.walked.Add(s.walk(ctx, s.proxies[n%len(s.proxies)].walker, 1, n))
	}
}

// ask turns to another side, or nil for none. When it returns, no request is
// under way, and the sums of the side before are the caller's.
func (w *walker) ask(s *side) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.side = s
}

func (w *walker) stop() {
	close(w.quit)
	w.walking.Wait()
}

// walk makes count requests, from the n-th of the walk through all routes on.
func (s *side) walk(ctx context.Context, p *probe.Prober, count, n int) probe.Tally {
	routes := s.cfg.Routes
	step := stride(routes)
	return p.Walk(ctx, count, func() (probe.Target, func(probe.Answer) probe.Verdict) {
		route := n % routes * step % routes
		n++
		return s.plan.table.target(route), s.plan.expect(route)
	})
}
