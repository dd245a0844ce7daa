package bench

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/deltaplane/deltaplane/bench/probe"
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
	ctx, g := guarded(ctx, r.sides)
	defer g.stop()
	if err := r.measure(ctx); err != nil {
		return nil, why(ctx, err)
	}
	return r.report(ctx)
}

// measure makes the changes under traffic, and then measures requests alone.
func (r *run) measure(ctx context.Context) error {
	err := r.startProfiles(ctx)
	r.walker = startWalker(ctx, r.cfg.Rate)
	if err == nil {
		err = r.changes(ctx)
	}
	if err == nil {
		err = r.files(ctx)
	}
	r.walker.stop()
	err = errors.Join(err, r.stopProfiles(ctx))
	if err == nil {
		err = r.workers(ctx)
	}
	return err
}

// run is one call of Run.
type run struct {
	cfg      Config
	began    time.Time
	backends []*probe.Backend
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
	for _, name := range []string{"red", "green", "blue"} {
		b, err := probe.NewBackend(name)
		if err != nil {
			return err
		}
		r.backends = append(r.backends, b)
	}
	for _, shape := range r.cfg.Shapes {
		r.cfg.Progress(Progress{Step: "control plane", Shape: shape})
		s, err := openSide(ctx, r.cfg, shape, r.backends)
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
	before, err := proc.CPU(os.Getpid())
	if err != nil {
		return err
	}
	defer func() {
		if after, err := proc.CPU(os.Getpid()); err == nil {
			r.own = float64(after-before) / float64(time.Since(began))
		}
	}()
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
	return s.carryOut(ctx, c, into)
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
