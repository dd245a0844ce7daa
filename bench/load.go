package bench

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/deltaplane/deltaplane/bench/histogram"
	"github.com/deltaplane/deltaplane/bench/probe"
	"github.com/deltaplane/deltaplane/bench/traffic"
)

// load is the requests of one side while it changes. Half of them are to the
// route that changes, while one does, and all others to all routes in turn.
type load struct {
	side     *side
	requests traffic.Config
	began    time.Time
	took     time.Duration // all of it
	cost     time.Duration // CPU of Envoys' workers per request

	mu       sync.Mutex // guards the rest
	made     int        // requests begun
	over     bool       // no change follows
	watched  *watching  // the change that goes on; nil: none
	asked    []asked    // of each request under way, by worker
	sent     []moments  // of each request, by number
	tally    probe.Tally
	bare     int // answers without the labels
	partial  int // answers of backends that did not get the whole body
	slow     int // requests that took longer than the SLA
	all      histogram.Histogram
	changing histogram.Histogram // of requests sent while a change went on
	quiet    histogram.Histogram // of the others
}

// asked is a request under way.
type asked struct {
	judge   func(probe.Answer) probe.Verdict
	watched *watching // the change that it is to see; nil: none
	changes bool      // one goes on
}

// moments are when a request was sent and answered, in microseconds of the
// wall clock; without an answer both are 0.
type moments struct{ sent, received int64 }

func newLoad(s *side) *load {
	l := &load{side: s, requests: s.cfg.Load.requests(s.cfg, fmt.Sprintf("%s-%d", s.shape, os.Getpid())), asked: make([]asked, s.cfg.Load.Workers)}
	l.all, l.changing, l.quiet = histogram.New(), histogram.New(), histogram.New()
	return l
}

// run makes the load, while change is called again and again: until it says
// that no other follows, or fails.
func (l *load) run(ctx context.Context, change func(context.Context) (more bool, err error)) error {
	var clients []*traffic.Client
	for worker := range l.side.cfg.Load.Workers {
		c := traffic.NewClient(l.proxyOf(worker).address, l.requests)
		defer c.Close()
		clients = append(clients, c)
	}
	before, err := l.cpu()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var working sync.WaitGroup
	l.began = time.Now()
	working.Go(func() { traffic.Run(ctx, clients, l.side.cfg.Load.Rate, l) })
	for more, enough := true, false; more && !enough; {
		if more, err = change(ctx); err != nil {
			cancel()
			working.Wait()
			return err
		}
		enough = l.enough()
	}
	l.mu.Lock()
	l.over = true
	l.mu.Unlock()
	working.Wait()
	l.took = time.Since(l.began)
	if err := context.Cause(ctx); err != nil {
		return err
	}
	after, err := l.cpu()
	l.cost = (after - before) / time.Duration(l.made)
	return err
}

// cpu is what the workers of all Envoys have taken so far.
func (l *load) cpu() (sum time.Duration, err error) {
	for _, p := range l.side.proxies {
		cpu, err := p.workerCPU()
		if err != nil {
			return 0, err
		}
		sum += cpu
	}
	return sum, nil
}

// enough reports whether all requests have been begun.
func (l *load) enough() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.made >= l.side.cfg.Load.Requests
}

// proxyOf is the Envoy that a worker asks.
func (l *load) proxyOf(worker int) *proxy { return l.side.proxies[l.proxyIndex(worker)] }

func (l *load) proxyIndex(worker int) int { return worker % len(l.side.proxies) }

// Next implements traffic.Source.
func (l *load) Next(worker int) (int, probe.Target, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over && l.made >= l.side.cfg.Load.Requests {
		return 0, probe.Target{}, false
	}
	n := l.made
	l.made++
	l.sent = append(l.sent, moments{})
	routes := l.side.cfg.Routes
	route, one := n%routes*stride(routes)%routes, asked{changes: l.watched != nil}
	if w := l.watched; w != nil && w.open && n/len(l.side.proxies)%2 == 0 {
		route, one.watched, one.judge = w.change.route, w, w.change.judge
		w.underWay++
	} else {
		one.judge = l.side.plan.expect(route)
	}
	l.asked[worker] = one
	return n, l.side.plan.table.target(route), true
}

// Done implements traffic.Source.
func (l *load) Done(worker, n int, due time.Time, a traffic.Answer, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.asked[worker]
	verdict := l.tally.Take(a.Answer, err, one.judge)
	if err == nil {
		l.answered(n, due, a, one)
	}
	if one.watched != nil {
		one.watched.take(l.proxyIndex(worker), a.Answer, err, verdict)
	}
}

// answered counts an answer. l.mu is held.
func (l *load) answered(n int, due time.Time, a traffic.Answer, one asked) {
	l.sent[n] = moments{a.Sent.UnixMicro(), a.Received.UnixMicro()}
	took := a.Received.Sub(due)
	l.all.Record(took)
	if one.changes {
		l.changing.Record(took)
	} else {
		l.quiet.Record(took)
	}
	if took > l.side.cfg.SLA {
		l.slow++
	}
	if !a.Labelled {
		l.bare++
	}
	if !a.Whole {
		l.partial++
	}
}
