package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/deltaplane/deltaplane/bench/histogram"
	"github.com/deltaplane/deltaplane/bench/hops"
	"github.com/deltaplane/deltaplane/bench/plane"
	"github.com/deltaplane/deltaplane/bench/probe"
	"github.com/deltaplane/deltaplane/bench/profile"
	"github.com/deltaplane/deltaplane/bench/relay"
)

// side is one of what is compared: a control plane, its Envoys, and what was
// measured of them.
type side struct {
	cfg   Config
	shape Shape
	plan  *plan

	dir     string
	spans   *hops.Receiver // of the plane; nil: it is not traced
	plane   *plane.Plane   // nil: it runs elsewhere, and guest is there
	xds     string         // HOST:PORT
	guest   *guest
	leave   func() error // ends what guest has begun; nil: nothing
	api     *api
	proxies []*proxy
	nodes   int // Envoys ever started

	counters counters // as they were last read
	counted  bool     // they were

	changes *effects            // of single changes
	files   *effects            // of the whole file, applied again
	walked  probe.Tally         // of requests to all routes
	starts  histogram.Histogram // of an Envoy, to its first good answer

	recording     *profile.Recording // nil: none, or none any more
	profile       *profile.Summary   // nil: none
	envoyProfiles bool               // the first Envoy's profiler is on

	load        *load           // the requests of a load; nil: there is none
	workerCosts []time.Duration // CPU of the worker threads per request: of each portion
}

// setUpPatience bounds how long each step of a side's start may take.
const setUpPatience = 3 * time.Minute

// openSide starts a control plane that holds the table. Close what it returns
// even if there is an error.
func openSide(ctx context.Context, cfg Config, shape Shape, backends []backend, labels *labels) (*side, error) {
	s := &side{cfg: cfg, shape: shape, changes: newEffects(), files: newEffects(), starts: histogram.New()}
	s.plan = newPlan(table{routes: cfg.Routes, hosts: cfg.Hosts, shape: shape, shards: cfg.Shards, backends: backends, labels: labels}, cfg.Pattern)
	ctx, cancel := context.WithTimeoutCause(ctx, setUpPatience, fmt.Errorf("not up after %v", setUpPatience))
	defer cancel()
	open := s.startPlane
	if cfg.Server != nil {
		open = s.visit
	}
	if err := open(ctx); err != nil {
		return s, err
	}
	for _, c := range s.plan.setUp() {
		done, err := s.api.commit(ctx, c, hops.Trace{})
		if err == nil {
			err = s.plan.committed(done.version)
		}
		if err != nil {
			return s, err
		}
	}
	return s, nil
}

// startPlane runs a control plane of the side's own.
func (s *side) startPlane(ctx context.Context) (err error) {
	if s.dir, err = os.MkdirTemp("", "deltaplane-bench-"); err != nil {
		return err
	}
	var options []string
	if s.cfg.Load != nil || s.cfg.Traces != "" {
		if s.spans, err = hops.Receive(ctx, s.cfg.Traces); err != nil {
			return unreceived(err)
		}
		options = []string{"--otlp-endpoint", s.spans.URL()}
	}
	if s.plane, err = plane.Start(ctx, s.cfg.Command, s.dir, options...); err != nil {
		return err
	}
	s.api, s.xds = &api{url: s.plane.API}, s.plane.XDS
	return nil
}

// startProxy starts one more Envoy, to time its start; it stays if it is kept.
func (s *side) startProxy(ctx context.Context, keep bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, setUpPatience, fmt.Errorf("not up after %v", setUpPatience))
	defer cancel()
	s.nodes++
	p, err := startProxy(ctx, s.cfg, s.origin(), s.node(s.nodes), s.plan.table.target(0), s.plan.backend(0))
	if err == nil {
		s.starts.Record(p.started)
	}
	if keep {
		s.proxies = append(s.proxies, p)
		return err
	}
	return errors.Join(err, p.close())
}

// changeTail is how long nothing but the new configuration may be seen before
// a change counts as over.
const changeTail = 5 * time.Millisecond

// lostAfter is when a change counts as not having arrived.
const lostAfter = time.Minute

// carryOut makes one change, as watch does, and adds what is seen of it to
// into.
func (s *side) carryOut(ctx context.Context, c change, into *effects, watch func(context.Context, change) (watched, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, lostAfter, fmt.Errorf("not there after %v", lostAfter))
	defer cancel()
	before, err := s.costBefore(ctx)
	if err != nil {
		return err
	}
	if s.spans != nil {
		c.trace = hops.NewTrace()
	}
	w, err := watch(ctx, c)
	if err == nil {
		err = s.plan.committed(w.version)
	}
	if err != nil {
		return fmt.Errorf("%s: the change to %s: %w", s.shape, c.to, err)
	}
	s.plan.settled()
	w.passed = s.passed(w.sent)
	if s.spans != nil {
		node := func(i int) string { return s.proxies[i].node }
		s.spans.Received(c.trace, w.passed, node)
		s.spans.Add(ctx, c.trace, w.sent, w.seen, node)
	}
	after, err := s.costAfter(ctx)
	if err != nil {
		return err
	}
	into.record(w, before, after)
	return nil
}

// watched is what was seen of one change.
type watched struct {
	sent time.Time // to the API
	done
	seen   []probe.Switch     // by each Envoy's probe
	passed [][]relay.Response // to each Envoy; nil without relays
}

// passed is what relays have dated since, for each Envoy; nil without them.
func (s *side) passed(since time.Time) (all [][]relay.Response) {
	if !s.cfg.Relay {
		return nil
	}
	for _, p := range s.proxies {
		all = append(all, p.relay.Since(since))
	}
	return all
}

// watch makes a change while each Envoy is probed, and returns when all show
// it and have acknowledged it.
func (s *side) watch(ctx context.Context, c change) (watched, error) {
	w := watched{seen: make([]probe.Switch, len(s.proxies))}
	group, ctx := errgroup.WithContext(ctx)
	ready := make(chan struct{}, len(s.proxies))
	hurry := s.hurry()
	for i, p := range s.proxies {
		group.Go(func() (err error) {
			w.seen[i], err = p.probe.Watch(ctx, probe.Change{
				Target: s.plan.table.target(c.route), Judge: c.judge, Tail: changeTail, Fresh: c.fresh,
				Every: s.probeEvery(), Hurry: hurry,
			}, func() { ready <- struct{}{} })
			return err
		})
	}
	group.Go(func() (err error) {
		for range s.proxies {
			select {
			case <-ready:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		w.sent = time.Now()
		w.done, err = s.api.commit(ctx, c.call, c.trace)
		if hurry != nil {
			close(hurry)
		}
		return err
	})
	return w, group.Wait()
}

// seldom is from which interval on an Envoy shows a change notably later than
// it has it.
const seldom = 2 * time.Millisecond

// hurry is closed when all Envoys have acknowledged a change, so that each is
// asked then. It is nil where they are asked often enough.
func (s *side) hurry() chan struct{} {
	if s.probeEvery() < seldom {
		return nil
	}
	return make(chan struct{})
}

// probeEvery is from probe to probe of one Envoy.
func (s *side) probeEvery() time.Duration {
	return s.cfg.ProbeEvery * time.Duration(len(s.proxies))
}

// close ends all of it, last started first.
func (s *side) close() (err error) {
	for _, p := range s.proxies {
		err = errors.Join(err, p.close())
	}
	if s.leave != nil {
		err = errors.Join(err, s.leave())
	}
	if s.api != nil {
		s.api.close()
	}
	if s.plane != nil {
		err = errors.Join(err, s.plane.Stop())
	}
	if s.spans != nil {
		err = errors.Join(err, s.spans.Close())
	}
	if s.dir != "" {
		err = errors.Join(err, os.RemoveAll(s.dir))
	}
	return err
}
