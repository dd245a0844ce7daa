package load

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Run measures. That ctx is done before is an error. Nothing that it started
// is left when it returns, and a control plane that it did not start is left
// as it was.
func Run(ctx context.Context, cfg Config) (_ *Report, err error) {
	if cfg, err = cfg.withDefaults(); err != nil {
		return nil, err
	}
	r := &run{cfg: cfg, began: time.Now()}
	defer func() { err = errors.Join(err, r.close()) }()
	for _, resources := range cfg.Resources {
		for _, kind := range cfg.Sides {
			cfg.Progress(Progress{Side: string(kind), Step: "server"})
			s, err := openSide(ctx, &r.cfg, kind, resources)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", kind, err)
			}
			r.sides = append(r.sides, s)
		}
	}
	if err := r.profiled(ctx, r.turns); err != nil {
		return nil, err
	}
	return r.report(), nil
}

// run is one call of Run.
type run struct {
	cfg   Config
	sides []*side
	began time.Time
}

// turns measures one side after the other, so that what changes on the machine
// meets all.
func (r *run) turns(ctx context.Context) error {
	readClock := func(s *side, ctx context.Context, _ progress) error { return s.readClock(ctx) }
	parts := []func(*side, context.Context, progress) error{readClock}
	for range r.cfg.Repetitions {
		parts = append(parts, (*side).turn, (*side).concernedTurn)
	}
	parts = append(parts, (*side).steadyTurn, readClock)
	for _, part := range parts {
		for _, s := range r.sides {
			last := s.results.single.call.last
			err := part(s, ctx, func(step string, done, total int) {
				r.cfg.Progress(Progress{Side: s.name(), Step: step, Done: done, Total: total, P50: last.At(50), P99: last.At(99)})
			})
			if err != nil {
				return s.why(err)
			}
		}
	}
	return nil
}

// close ends the servers.
func (r *run) close() (err error) {
	for _, s := range r.sides {
		err = errors.Join(err, s.close())
	}
	return err
}
