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
	// shared says that others use the control plane, too: sent and plane are of
	// all that it does.
	shared bool
}

// costBefore reads what a change will add to. The control plane's counters are
// those after the change before: reading them costs more than a change, and
// nothing else adds to them, but where others use that control plane, too.
func (s *side) costBefore(ctx context.Context) (c cost, err error) {
	if !s.counted || s.guest != nil {
		if s.counters, err = s.api.counters(ctx); err != nil {
			return c, err
		}
		s.counted = true
	}
	c.sent, c.shared = s.counters, s.guest != nil
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
	if s.counters, err = s.api.counters(ctx); err != nil {
		return c, err
	}
	c.sent, c.shared = s.counters, s.guest != nil
	if c.shared {
		c.plane = seconds(c.sent.cpu)
	}
	return c, nil
}

// readCPU reads what threads and processes of this machine have taken, and of
// a control plane elsewhere what it has told.
func (s *side) readCPU(c *cost) (err error) {
	if s.guest != nil {
		c.plane = seconds(c.sent.cpu)
	} else if c.plane, err = proc.CPU(s.plane.Process.Pid()); err != nil {
		return err
	}
	c.main, err = s.mainCPU()
	return err
}

// memory is the control plane's, in bytes; 0 if it is not known.
func (s *side) memory() (int64, error) {
	if s.guest != nil {
		return int64(s.counters.rss), nil
	}
	return proc.RSS(s.plane.Process.Pid())
}

// etcdSince is what etcd took of the one commit since before; ok is false if
// there were others.
func (c cost) etcdSince(before cost) (took time.Duration, ok bool) {
	return seconds(c.sent.etcd - before.sent.etcd), !c.shared || c.sent.commits-before.sent.commits <= 1
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

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
