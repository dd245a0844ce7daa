package traffic

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"time"
)

// reasonsKept bounds how many different failures a Report distinguishes.
const reasonsKept = 20

// Config says what to request, and how often.
type Config struct {
	Client  *Client
	Rate    int                    // requests per second, over all workers
	Workers int                    // requests at the same time; default 8
	Next    func(n uint64) Request // the n-th request; called from any worker

	// Judge says what is wrong with the answer to a request that was sent at
	// some time, if its status alone does not tell; called from any worker.
	// Answers that it has judged are not listed in the Report.
	Judge func(r Request, sent time.Time, a Answer) error
}

// Generator makes requests at a steady rate until it is stopped. A request
// that is due while all workers wait goes out late, but it goes out.
type Generator struct {
	cfg     Config
	start   time.Time
	quit    chan struct{}
	once    sync.Once // closes quit
	workers sync.WaitGroup

	mu     sync.Mutex // guards report
	report Report
}

// Report counts what happened so far.
type Report struct {
	Requests uint64            // that have ended, well or not
	Failures uint64            // no answer, or a status other than 200
	Reasons  map[string]uint64 // of failures: how often each
	First    string            // the first request that failed, when it was sent, and why
	Answers  map[string]uint64 // bodies of good answers: how often each
}

// Start begins. The caller must call Stop.
func Start(ctx context.Context, cfg Config) *Generator {
	if cfg.Workers == 0 {
		cfg.Workers = 8
	}
	g := &Generator{cfg: cfg, start: time.Now(), quit: make(chan struct{})}
	g.report.Reasons, g.report.Answers = map[string]uint64{}, map[string]uint64{}
	for w := range cfg.Workers {
		g.workers.Go(func() { g.work(ctx, uint64(w)) })
	}
	return g
}

// work makes every Workers-th request, each when it is due.
func (g *Generator) work(ctx context.Context, w uint64) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for n := w; ; n += uint64(g.cfg.Workers) {
		due := g.start.Add(time.Duration(n) * time.Second / time.Duration(g.cfg.Rate))
		timer.Reset(time.Until(due))
		select {
		case <-timer.C:
		case <-g.quit:
			return
		case <-ctx.Done():
			return
		}
		request, sent := g.cfg.Next(n), time.Now()
		answer, err := g.cfg.Client.Do(ctx, request)
		if ctx.Err() != nil {
			return // cut off by the caller, not by the proxy
		}
		if err == nil && answer.Status == http.StatusOK && g.cfg.Judge != nil {
			err = g.cfg.Judge(request, sent, answer)
		}
		g.record(request, sent, answer, err)
	}
}

func (g *Generator) record(request Request, sent time.Time, answer Answer, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := &g.report
	r.Requests++
	if err == nil && answer.Status == http.StatusOK {
		if g.cfg.Judge == nil {
			r.Answers[answer.Body]++
		}
		return
	}
	r.Failures++
	reason := fmt.Sprintf("%d %.200s", answer.Status, answer.Body)
	if err != nil {
		reason = err.Error()
	}
	if r.First == "" {
		r.First = fmt.Sprintf("%s%s, sent %s: %s", request.Host, request.Path, sent.Format(time.StampMicro), reason)
	}
	if _, known := r.Reasons[reason]; known || len(r.Reasons) < reasonsKept {
		r.Reasons[reason]++
	}
}

// Report is what happened so far.
func (g *Generator) Report() Report {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := g.report
	r.Reasons, r.Answers = maps.Clone(r.Reasons), maps.Clone(r.Answers)
	return r
}

// Stop waits for the requests under way and returns the final report.
func (g *Generator) Stop() Report {
	g.once.Do(func() { close(g.quit) })
	g.workers.Wait()
	return g.Report()
}
