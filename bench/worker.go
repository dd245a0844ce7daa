package bench

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/deltaplane/deltaplane/bench/hops"
	"github.com/deltaplane/deltaplane/bench/probe"
)

// The cost of a request is that of finding its route: of routes all over the
// table, which for this answer by themselves, without a backend. It is
// measured in portions that alternate between the sides, so that what else the
// machine does meets all of them. A portion is made over several connections
// at once: a worker that is never idle does not pay for being woken.
const (
	workerRoutes   = 16
	workerPortions = 15   // at most; fewer for few changes
	workerPortion  = 3000 // requests
	workerConns    = 6
)

// direct is what such routes answer.
const direct = "direct"

// workers measures the cost of a request on the worker threads, while nothing
// changes.
func (r *run) workers(ctx context.Context) error {
	for _, s := range r.sides {
		if err := s.answerDirectly(ctx); err != nil {
			return err
		}
	}
	portions := min(1+r.cfg.Changes/4, workerPortions)
	for n := range portions {
		for _, s := range r.sides {
			r.cfg.Progress(Progress{Step: "requests", Shape: s.shape, Done: n, Total: portions})
			if err := s.measureWorker(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// workerRoute is the k-th of those routes; few tables have fewer.
func (s *side) workerRoute(k int) int {
	return (2*k + 1) * s.cfg.Routes / (2 * workerRoutes)
}

// answerDirectly has the routes answer by themselves: all at once, for plain
// tables take long.
func (s *side) answerDirectly(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for k := range workerRoutes {
		does := fmt.Sprintf("direct_response: {status: 200, body: {inline_string: %s}}", direct)
		group.Go(func() error {
			_, err := s.api.commit(ctx, s.plan.patchTo(s.workerRoute(k), does), hops.Trace{})
			return err
		})
	}
	return group.Wait()
}

// measureWorker makes a portion of requests, at the first Envoy.
func (s *side) measureWorker(ctx context.Context) error {
	p := s.proxies[0]
	before, err := p.workerCPU()
	if err != nil {
		return err
	}
	var tallies [workerConns]probe.Tally
	var walking sync.WaitGroup
	for i := range tallies {
		walking.Go(func() {
			prober := probe.NewProber(p.address, s.cfg.labels(fmt.Sprintf("%s-worker-%d", s.shape, i)), 1)
			defer prober.Close()
			tallies[i] = s.walkDirect(ctx, prober, i)
		})
	}
	walking.Wait()
	after, err := p.workerCPU()
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return fmt.Errorf("the cost of requests: %w", context.Cause(ctx))
	}
	for _, t := range tallies {
		s.walked.Add(t)
	}
	s.workerCosts = append(s.workerCosts, (after-before)/workerPortion)
	return nil
}

// walkDirect makes one connection's part of a portion.
func (s *side) walkDirect(ctx context.Context, p *probe.Prober, k int) probe.Tally {
	judge := func(a probe.Answer) probe.Verdict {
		if a.Body == direct {
			return probe.New
		}
		return probe.Wrong
	}
	return p.Walk(ctx, workerPortion/workerConns, func() (probe.Target, func(probe.Answer) probe.Verdict) {
		k++
		return s.plan.table.target(s.workerRoute(k % workerRoutes)), judge
	})
}

// median is the middle one of some durations; 0 of none.
func median(list []time.Duration) time.Duration {
	if len(list) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}
