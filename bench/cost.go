package bench

import (
	"context"
	"time"

	"github.com/deltaplane/deltaplane/bench/proc"
)

// cost is what a side has cost up to a moment.
type cost struct {
	main  []time.Duration // CPU of each Envoy's main thread
	plane time.Duration   // CPU of the control plane
	sent  counters
}

// costBefore reads what a change will add to. The control plane's counters are
// those after the change before: reading them costs more than a change, and
// nothing else adds to them.
func (s *side) costBefore(ctx context.Context) (c cost, err error) {
	if !s.counted {
		if s.counters, err = s.api.counters(ctx); err != nil {
			return c, err
		}
		s.counted = true
	}
	c.sent = s.counters
	return c, s.readCPU(&c)
}

// costAfter waits until the Envoys are quiet, and reads what the change has
// added to: the counters last.
func (s *side) costAfter(ctx context.Context) (c cost, err error) {
	if err := s.waitQuiet(ctx); err != nil {
		return c, err
	}
	if err := s.readCPU(&c); err != nil {
		return c, err
	}
	s.counters, err = s.api.counters(ctx)
	c.sent = s.counters
	return c, err
}

func (s *side) readCPU(c *cost) (err error) {
	if c.plane, err = proc.CPU(s.plane.Process.Pid()); err != nil {
		return err
	}
	c.main, err = s.mainCPU()
	return err
}

func (s *side) mainCPU() ([]time.Duration, error) {
	main := make([]time.Duration, len(s.proxies))
	for i, p := range s.proxies {
		cpu, err := p.main.CPU()
		if err != nil {
			return nil, err
		}
		main[i] = cpu
	}
	return main, nil
}

// An Envoy is quiet when its main thread has run for less than quietCPU in
// quietFor. It is waited for at most quietPatience: what an Envoy does for
// other reasons must not hold the bench up.
const (
	quietCPU      = 50 * time.Microsecond
	quietFor      = 4 * time.Millisecond
	quietPatience = 500 * time.Millisecond
)

// waitQuiet waits until the Envoys have cleared away what was before a change.
func (s *side) waitQuiet(ctx context.Context) error {
	tick := time.NewTicker(quietFor)
	defer tick.Stop()
	last, err := s.mainCPU()
	if err != nil {
		return err
	}
	for end := time.Now().Add(quietPatience); time.Now().Before(end); {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		now, err := s.mainCPU()
		if err != nil {
			return err
		}
		if quiet(last, now) {
			return nil
		}
		last = now
	}
	return nil
}

func quiet(then, now []time.Duration) bool {
	for i := range now {
		if now[i]-then[i] >= quietCPU {
			return false
		}
	}
	return true
}
