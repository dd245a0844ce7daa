package load

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/deltaplane/deltaplane/bench/swarm"
)

// patience bounds how long each step of a turn may take.
const patience = 3 * time.Minute

// progress hears of a step of a turn.
type progress func(step string, done, total int)

// turn is a side's part of a repetition: its proxies start, changes are made,
// all proxies are cut off and come back, and go.
func (s *side) turn(ctx context.Context, tell progress) (err error) {
	before, err := s.server.usage(ctx, true)
	if err != nil {
		return err
	}
	fleet, err := s.openFleet(ctx, tell)
	defer func() { err = errors.Join(err, fleet.Close()) }()
	if err != nil {
		return err
	}
	if err := s.atRest(ctx, before); err != nil {
		return err
	}
	if err := s.makeChanges(ctx, fleet, tell); err != nil {
		return err
	}
	rss, err := s.meter.rss(ctx)
	s.results.start.rss.add(rss)
	if err != nil || s.cfg.NoStorm || s.kind.protocol() != swarm.Delta {
		return err
	}
	tell("storm", 0, 0)
	held, err := swarm.Hold(ctx, s.fleet())
	if err == nil {
		err = fleet.Close()
	}
	if err != nil {
		return err
	}
	return s.storm(ctx, held)
}

// openFleet starts all proxies, and returns when the server has rest. Close
// what it returns even if there is an error.
func (s *side) openFleet(ctx context.Context, tell progress) (*swarm.Swarm, error) {
	tell("start", 0, 0)
	soon, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("not all after %v", patience))
	defer cancel()
	_, cpu, err := s.meter.quiet(ctx)
	fleet := swarm.Open(ctx, s.fleet())
	if err != nil {
		return fleet, err
	}
	full, err := fleet.WaitFull(soon)
	if err != nil {
		return fleet, err
	}
	_, cpuAfter, err := s.meter.quiet(ctx)
	r := &s.results.start
	r.took.add(ms(full.Sub(fleet.Began())))
	r.cpu.add(ms(cpuAfter - cpu))
	r.bytes.add(float64(fleet.Traffic().Bytes))
	return fleet, err
}

// atRest measures what a proxy costs that does nothing.
func (s *side) atRest(ctx context.Context, before usage) error {
	after, err := s.server.usage(ctx, true)
	r, n := &s.results.start, float64(s.cfg.Proxies)
	r.heap.add((after.heap - before.heap) / n)
	r.stacks.add((after.stacks - before.stacks) / n)
	r.goroutines.add((after.goroutines - before.goroutines) / n)
	return err
}

// storm has all proxies come back at once, with everything that they hold.
// Nothing has changed, so they should get nothing; a change then shows that
// they are there.
func (s *side) storm(ctx context.Context, held *swarm.Versions) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("not over after %v", patience))
	defer cancel()
	_, cpu, err := s.meter.quiet(ctx)
	if err != nil {
		return err
	}
	again := s.fleet()
	again.Held, again.ComeBack = held, true
	fleet := swarm.Open(ctx, again)
	defer func() { err = errors.Join(err, fleet.Close()) }()
	if _, err := fleet.WaitTold(ctx); err != nil {
		return err
	}
	over, cpuAfter, err := s.meter.quiet(ctx)
	if err != nil {
		return err
	}
	traffic := fleet.Traffic()
	r := &s.results.storm
	r.took.add(ms(over.Sub(fleet.Began())))
	r.cpu.add(ms(cpuAfter - cpu))
	r.bytes.add(float64(traffic.Bytes))
	r.resources.add(float64(traffic.Resources))
	k, i, change := s.next()
	arrivals := fleet.Expect(k, change, s.cfg.Proxies)
	if _, err := s.server.change(ctx, s.set, k, i, change); err != nil {
		return err
	}
	err = fleet.Wait(ctx, arrivals)
	r.lost.add(float64(fleet.Traffic().Lost))
	return err
}
