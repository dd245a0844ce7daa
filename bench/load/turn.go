package load

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/deltaplane/deltaplane/bench/proc"
	"github.com/deltaplane/deltaplane/bench/swarm"
)

// turn is a side's part of a repetition: its proxies start, changes are made,
// and the proxies go.
func (s *side) turn(ctx context.Context, progress func(step string, done, total int)) (err error) {
	progress("proxies", 0, 0)
	fleet := swarm.Open(ctx, s.proxies())
	defer func() { err = errors.Join(err, fleet.Close()) }()
	full, err := fleet.WaitFull(ctx)
	if err != nil {
		return err
	}
	s.results.start = append(s.results.start, full.Sub(fleet.Began()))
	if _, _, err := quiet(ctx, s.pid); err != nil {
		return err
	}
	if err := s.makeChanges(ctx, fleet, progress); err != nil {
		return err
	}
	rss, err := proc.RSS(s.pid)
	s.results.rss = append(s.results.rss, float64(rss))
	return err
}

// makeChanges makes single ones, each when the one before is over.
func (s *side) makeChanges(ctx context.Context, fleet *swarm.Swarm, progress func(string, int, int)) error {
	before, err := s.server.usage(ctx, false)
	if err != nil {
		return err
	}
	again, err := s.server.usage(ctx, false)
	if err != nil {
		return err
	}
	for n := range s.cfg.Changes {
		progress("change", n, s.cfg.Changes)
		if err := s.makeChange(ctx, fleet); err != nil {
			return err
		}
	}
	after, err := s.server.usage(ctx, false)
	s.results.alloc += after.allocated - again.allocated - (again.allocated - before.allocated)
	return err
}

func (s *side) makeChange(ctx context.Context, fleet *swarm.Swarm) error {
	ctx, cancel := context.WithTimeoutCause(ctx, changePatience, fmt.Errorf("not there after %v", changePatience))
	defer cancel()
	k, i, change := s.next()
	_, cpu, err := quiet(ctx, s.pid)
	if err != nil {
		return err
	}
	own, err := proc.CPU(os.Getpid())
	if err != nil {
		return err
	}
	traffic := fleet.Traffic()
	arrivals := fleet.Expect(k, change, s.cfg.Proxies)
	m, err := s.server.change(ctx, s.set, k, i, change)
	if err != nil {
		return err
	}
	if err := fleet.Wait(ctx, arrivals); err != nil {
		return err
	}
	ownAfter, err := proc.CPU(os.Getpid())
	if err != nil {
		return err
	}
	_, cpuAfter, err := quiet(ctx, s.pid)
	if err != nil {
		return err
	}
	r := &s.results
	r.call.record(arrivals.Times(m.sent))
	r.commit.record(arrivals.Times(m.stored))
	r.changes++
	r.cpu += cpuAfter - cpu
	r.own += ownAfter - own
	r.bytes += fleet.Traffic().Bytes - traffic.Bytes
	return nil
}
