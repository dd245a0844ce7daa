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
	fleet, err := s.openFleet(ctx, tell)
	defer func() { err = errors.Join(err, fleet.Close()) }()
	if err != nil {
		return err
	}
	if err := s.makeChanges(ctx, fleet, tell); err != nil {
		return err
	}
	rss, err := s.meter.rss(ctx)
	if err != nil {
		return err
	}
	s.results.start.rss.add(rss)
	err = s.atRest(ctx, tell)
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

// further is how many proxies come besides, to see what one holds: of a server
// of ours and of floors many, as their proxies are small beside what else comes
// and goes.
func (s *side) further() int {
	const few, many, resources = 250, 1000, 10_000_000
	if s.kind != Deltaplane && !s.kind.floor() {
		return few
	}
	return min(many, max(few, resources/s.set.Len()))
}

// atRest measures what a further proxy costs that does nothing. One more comes
// before: what a server has once for all of them, as the view and a response
// with everything, is there by then.
func (s *side) atRest(ctx context.Context, tell progress) (err error) {
	tell("rest", 0, 0)
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("not over after %v", patience))
	defer cancel()
	join := func(first, proxies int) (u usage, leave func() error, err error) {
		more := s.fleet()
		more.First, more.Proxies = first, proxies
		fleet := swarm.Open(ctx, more)
		if _, err = fleet.WaitFull(ctx); err == nil {
			u, err = s.collected(ctx)
		}
		return u, fleet.Close, err
	}
	before, leave, err := join(s.cfg.Proxies, 1)
	defer func() { err = errors.Join(err, leave()) }()
	if err != nil {
		return err
	}
	further := s.further()
	after, leaveToo, err := join(s.cfg.Proxies+1, further)
	defer func() { err = errors.Join(err, leaveToo()) }()
	if err != nil {
		return err
	}
	r, n := &s.results.start, float64(further)
	r.heap.add((after.heap - before.heap) / n)
	r.stacks.add((after.stacks - before.stacks) / n)
	r.goroutines.add((after.goroutines - before.goroutines) / n)
	return nil
}

// collections are how many it takes until garbage is gone, what is kept to be
// used again, and the parts of stacks that are not in use: one halves a stack.
const collections = 5

// collected is the usage of a server that has rest, after collections.
func (s *side) collected(ctx context.Context) (u usage, err error) {
	if _, _, err := s.meter.quiet(ctx); err != nil {
		return u, err
	}
	for range collections {
		if u, err = s.server.usage(ctx, true); err != nil {
			return u, err
		}
	}
	return u, nil
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
