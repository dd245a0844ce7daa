package bench

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/deltaplane/deltaplane/bench/proc"
	"github.com/deltaplane/deltaplane/internal/envoy"
)

// Run measures, until all changes are made or Duration is over. That ctx is
// done before is an error, and so is a child that ends (ErrEnded). Nothing that
// it started is left when it returns.
func Run(ctx context.Context, cfg Config) (_ *Report, err error) {
	if cfg, err = cfg.withDefaults(); err != nil {
		return nil, err
	}
	// Before anything is started: without an Envoy there is nothing to measure.
	if _, err := envoy.Find(); err != nil {
		return nil, err
	}
	r := &run{cfg: cfg, began: time.Now()}
	defer func() { err = errors.Join(err, r.close()) }()
	if err := r.open(ctx); err != nil {
		return nil, err
	}
	within, g := guarded(ctx, r.sides)
	defer g.stop()
	if err := r.measure(within); err != nil {
		return nil, why(within, err)
	}
	report, err := r.report(within)
	if err != nil || r.cfg.Load == nil {
		return report, err
	}
	g.stop()
	return report, r.hops(ctx, report)
}

// measure makes the changes under traffic, and then measures requests alone.
func (r *run) measure(ctx context.Context) error {
	if err := r.startProfiles(ctx); err != nil {
		return errors.Join(err, r.stopProfiles(ctx))
	}
	under := r.underProbes
	if r.cfg.Load != nil {
		under = r.underLoads
	}
	began := time.Now()
	before, err := proc.CPU(os.Getpid())
	if err == nil {
		err = under(ctx)
	}
	if after, failed := proc.CPU(os.Getpid()); err == nil && failed == nil {
		r.own = float64(after-before) / float64(time.Since(began))
	}
	err = errors.Join(err, r.stopProfiles(ctx))
	for _, s := range r.sides {
		if err == nil && s.guest != nil {
			err = s.guest.readClock(ctx)
		}
	}
	if err == nil && r.cfg.Load == nil {
		err = r.workers(ctx)
	}
	return err
}

// underProbes makes the changes while single requests are made.
func (r *run) underProbes(ctx context.Context) error {
	r.walker = startWalker(ctx, r.cfg.Rate)
	defer r.walker.stop()
	if err := r.changes(ctx); err != nil {
		return err
	}
	return r.files(ctx)
}

// run is one call of Run.
type run struct {
	cfg      Config
	began    time.Time
	backends []backend
	sides    []*side
	walker   *walker
	own      float64 // CPUs that this process took while changes were made
}

// startsLeast is how many starts of Envoys are timed on each side, at least,
// where many changes are.
const startsLeast = 3

// open starts everything: the Envoys of all sides in turn, so that their
// times to start are comparable.
func (r *run) open(ctx context.Context) error {
	labels, err := r.openBackends()
	if err != nil {
		return err
	}
	for _, shape := range r.cfg.Shapes {
		r.cfg.Progress(Progress{Step: "control plane", Shape: shape})
		s, err := openSide(ctx, r.cfg, shape, r.backends, labels)
		r.sides = append(r.sides, s)
		if err != nil {
			return err
		}
	}
	starts := max(r.cfg.Envoys, min(startsLeast, 1+r.cfg.Changes/10))
	for n := range starts {
		for _, s := range r.sides {
			r.cfg.Progress(Progress{Step: "Envoy", Shape: s.shape, Done: n, Total: starts})
			if err := s.startProxy(ctx, n < r.cfg.Envoys); err != nil {
				return err
			}
		}
	}
	return nil
}

// underLoads makes a load at each side, and the changes during it.
func (r *run) underLoads(ctx context.Context) error {
	for _, s := range r.sides {
		s.load = newLoad(s)
		made := 0
		if err := s.load.run(ctx, func(ctx context.Context) (more bool, err error) {
			r.cfg.Progress(Progress{Step: "change", Shape: s.shape, Done: made, Total: r.cfg.Changes, P50: s.changes.first.At(50), P99: s.changes.first.At(99)})
			made++
			return made < r.cfg.Changes, s.carryOut(ctx, s.plan.next(), s.changes, s.load.watch)
		}); err != nil {
			return err
		}
	}
	return nil
}

// close ends everything, last started first.
func (r *run) close() (err error) {
	for _, s := range r.sides {
		err = errors.Join(err, s.close())
	}
	for _, b := range r.backends {
		err = errors.Join(err, b.Close())
	}
	return err
}

// changes makes the single changes, on each side in turn.
func (r *run) changes(ctx context.Context) error {
	began := time.Now()
	for n := range r.cfg.Changes {
		if r.cfg.Duration > 0 && time.Since(began) > r.cfg.Duration {
			return nil
		}
		for _, s := range r.sides {
			r.cfg.Progress(Progress{Step: "change", Shape: s.shape, Done: n, Total: r.cfg.Changes, P50: s.changes.first.At(50), P99: s.changes.first.At(99)})
			if err := r.carryOut(ctx, s, s.plan.next(), s.changes); err != nil {
				return err
			}
		}
	}
	return nil
}

// carryOut makes one change on a side, which alone has traffic meanwhile.
func (r *run) carryOut(ctx context.Context, s *side, c change, into *effects) error {
	r.walker.ask(s)
	defer r.walker.ask(nil)
	return s.carryOut(ctx, c, into, s.watch)
}

// files applies the whole file, with one route changed.
func (r *run) files(ctx context.Context) error {
	for n := range max(0, r.cfg.Files) {
		for _, s := range r.sides {
			if !s.plan.hasFile() {
				continue
			}
			r.cfg.Progress(Progress{Step: "whole file", Shape: s.shape, Done: n, Total: r.cfg.Files})
			if err := r.carryOut(ctx, s, s.plan.nextFile(), s.files); err != nil {
				return err
			}
		}
	}
	return nil
}
