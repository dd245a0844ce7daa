package load

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/deltaplane/deltaplane/bench/plane"
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
	pid     int
	address string // of xDS
	close   func() error

	changes int // made so far
	results results
}

// openSide starts a server with all resources. Close what it returns, unless
// there is an error.
func openSide(ctx context.Context, cfg *Config, kind Kind) (_ *side, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, setUpPatience, fmt.Errorf("not up after %v", setUpPatience))
	defer cancel()
	s := &side{cfg: cfg, kind: kind, set: cfg.Set, results: newResults()}
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	if err := s.server.load(ctx, s.set); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *side) start(ctx context.Context) error {
	if s.kind == Deltaplane {
		return s.startPlane(ctx)
	}
	r, err := startRival(ctx, s.cfg.Rivals, string(s.kind))
	if err != nil {
		return err
	}
	s.server, s.pid, s.address, s.close = r, r.process.Pid(), r.xds, r.stop
	return nil
}

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
	s.server, s.pid, s.address = d, p.Process.Pid(), p.XDS
	s.close = func() error {
		d.http.CloseIdleConnections()
		return errors.Join(p.Stop(), os.RemoveAll(dir))
	}
	return nil
}

// proxies are the side's fleet.
func (s *side) proxies() swarm.Config {
	return swarm.Config{Address: s.address, Protocol: s.kind.protocol(), Proxies: s.cfg.Proxies, Expect: s.set}
}

// changePatience is when a change counts as not having arrived.
const changePatience = 2 * time.Minute

// next is what the side's next change changes.
func (s *side) next() (k fixture.Kind, i, change int) {
	kinds, _ := kindsOf(s.cfg.Pattern) // it was checked
	s.changes++
	k = kinds[s.changes%len(kinds)]
	return k, s.changes / len(kinds) % s.set[k], s.changes
}
