package load

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/deltaplane/deltaplane/bench/plane"
	"github.com/deltaplane/deltaplane/bench/profile"
	"github.com/deltaplane/deltaplane/bench/swarm"
	"github.com/deltaplane/deltaplane/bench/swarm/fixture"
)

// side is one of what is compared: a server with all resources, and what was
// measured of it. Its proxies are there for a turn at a time.
type side struct {
	cfg  *Config
	kind Kind
	set  fixture.Set

	server  server
	meter   meter
	address string // of xDS
	log     string // file, "" without any
	close   func() error

	empty   float64 // memory of the server before it had resources, in bytes
	changes int     // made so far
	results results
	clock   *Clock           // of a server elsewhere
	profile *profile.Summary // nil: none
}

// openSide starts a server with all resources. Close what it returns, unless
// there is an error.
func openSide(ctx context.Context, cfg *Config, kind Kind, resources int) (_ *side, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("not up after %v", patience))
	defer cancel()
	s := &side{cfg: cfg, kind: kind, set: cfg.Set, results: newResults()}
	if s.set == (fixture.Set{}) {
		s.set = fixture.New(resources)
	}
	switch {
	case kind == Deltaplane && cfg.Server != "":
		s.connect(context.WithoutCancel(ctx))
	case kind == Deltaplane:
		err = s.startPlane(ctx)
	default:
		err = s.startRival(ctx)
	}
	if err != nil {
		return nil, err
	}
	s.empty, err = s.meter.rss(ctx)
	if err == nil {
		err = s.server.load(ctx, s.set)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// startPlane runs a control plane of ours.
func (s *side) startPlane(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "deltaplane-bench-")
	if err != nil {
		return err
	}
	p, err := plane.Start(ctx, s.cfg.Command, dir)
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	d := &deltaplane{url: p.API}
	s.server, s.meter, s.address, s.log = d, local{p.Process.Pid()}, p.XDS, p.Log
	s.close = func() error {
		d.http.CloseIdleConnections()
		return errors.Join(p.Stop(), os.RemoveAll(dir))
	}
	return nil
}

// connect uses a control plane that runs elsewhere, and leaves it as it was,
// even if the run is interrupted: ctx should not be.
func (s *side) connect(ctx context.Context) {
	d := &deltaplane{url: s.cfg.Server, http: http.Client{Transport: s.cfg.Transport}}
	s.server, s.meter, s.address = d, remote{d}, s.cfg.XDS
	s.close = func() error {
		defer d.http.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		return d.unload(ctx, s.set)
	}
}

func (s *side) startRival(ctx context.Context) error {
	r, err := startRival(ctx, s.cfg.Rivals, string(s.kind))
	if err != nil {
		return err
	}
	s.server, s.meter, s.address, s.close = r, local{r.process.Pid()}, r.xds, r.stop
	return nil
}

// name is the side's, for people.
func (s *side) name() string {
	if len(s.cfg.Resources) == 1 {
		return string(s.kind)
	}
	return fmt.Sprintf("%s, %d resources", s.kind, s.set.Len())
}

// fleet is what the side's proxies are.
func (s *side) fleet() swarm.Config {
	return swarm.Config{
		Address: s.address, Protocol: s.kind.protocol(), Proxies: s.cfg.Proxies, Expect: s.set,
		Cluster: benchNamespace, Extensions: s.cfg.Extensions, ByName: s.cfg.ByName,
	}
}

// why adds to an error what the server has to say.
func (s *side) why(err error) error {
	if s.log == "" {
		return fmt.Errorf("%s: %w", s.name(), err)
	}
	return fmt.Errorf("%s: %w; the control plane's log ends with:\n%s", s.name(), err, plane.Tail(s.log, 10))
}
