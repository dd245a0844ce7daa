package load

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/deltaplane/deltaplane/bench/histogram"
	"github.com/deltaplane/deltaplane/bench/swarm"
)

// steadyPatience is for how long after the last change all may arrive.
const steadyPatience = 20 * time.Second

// behind is for how long after their time is over changes are still sent.
const behind = time.Second

// steadyTurn makes changes at a rate, whether or not those before have
// arrived. A change counts from when it was due, even if the server's answer
// to the one before came too late to send it then.
func (s *side) steadyTurn(ctx context.Context, tell progress) (err error) {
	if s.cfg.Rate == 0 || s.kind != Deltaplane && !s.kind.floor() {
		return nil
	}
	fleet, err := s.openFleet(ctx, tell)
	defer func() { err = errors.Join(err, fleet.Close()) }()
	if err != nil {
		return err
	}
	r := &steadyResults{asked: int(float64(s.cfg.Rate) * s.cfg.Duration.Seconds()), lag: histogram.New()}
	s.results.steady = r
	if r.before, err = s.memory(ctx); err != nil {
		return err
	}
	_, cpu, err := s.meter.quiet(ctx)
	if err != nil {
		return err
	}
	traffic, began := fleet.Traffic(), time.Now()
	due, err := s.pour(ctx, fleet, r, tell)
	if err != nil {
		return err
	}
	r.took = time.Since(began)
	r.made = len(due)
	if err := s.settle(ctx, fleet, due, r); err != nil {
		return err
	}
	_, cpuAfter, err := s.meter.quiet(ctx)
	if err != nil {
		return err
	}
	r.cpu = float64(cpuAfter-cpu) / float64(time.Since(began))
	r.responses = float64(fleet.Traffic().Responses-traffic.Responses) / float64(s.cfg.Proxies)
	r.end, err = s.memory(ctx)
	return err
}

// sent is a change of the steady part.
type sent struct {
	due      time.Time
	arrivals *swarm.Arrivals
}

// pour sends the changes, and ends when their time is over.
func (s *side) pour(ctx context.Context, fleet *swarm.Swarm, r *steadyResults, tell progress) ([]sent, error) {
	every := time.Second / time.Duration(s.cfg.Rate)
	timer := time.NewTimer(0)
	defer timer.Stop()
	var all []sent
	began := time.Now()
	for n := range r.asked {
		due := began.Add(time.Duration(n) * every)
		if time.Since(began) > s.cfg.Duration+behind {
			break // it could not keep up
		}
		if n%s.cfg.Rate == 0 {
			tell("steady", n, r.asked)
		}
		if wait := time.Until(due); wait > 0 {
			timer.Reset(wait)
			select {
			case <-timer.C:
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		}
		k, i, change := s.next()
		all = append(all, sent{due, fleet.Expect(k, change, s.cfg.Proxies)})
		if _, err := s.server.change(ctx, s.set, k, i, change); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// settle waits for what is still under way, and adds up how late all came.
func (s *side) settle(ctx context.Context, fleet *swarm.Swarm, due []sent, r *steadyResults) error {
	soon, cancel := context.WithTimeoutCause(ctx, steadyPatience, fmt.Errorf("not there after %v", steadyPatience))
	defer cancel()
	for _, c := range due {
		if err := fleet.Wait(soon, c.arrivals); err != nil {
			if ctx.Err() != nil || soon.Err() == nil {
				return err
			}
			r.missing++
			continue
		}
		times := c.arrivals.Times(c.due)
		r.lag.Record(times[len(times)-1])
	}
	return nil
}

func (s *side) memory(ctx context.Context) (m memory, err error) {
	u, err := s.server.usage(ctx, true)
	if err != nil {
		return m, err
	}
	m.heap = u.heap
	m.rss, err = s.meter.rss(ctx)
	return m, err
}
