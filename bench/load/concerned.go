package load

import (
	"context"
	"errors"
	"fmt"

	"github.com/deltaplane/deltaplane/bench/swarm"
	"github.com/deltaplane/deltaplane/bench/swarm/fixture"
)

// concernedTurn makes changes that concern some of the proxies. A floor, which
// has nothing to choose by, gets only those.
func (s *side) concernedTurn(ctx context.Context, tell progress) (err error) {
	d, ours := s.server.(*deltaplane)
	if s.cfg.Concerned == 0 || !ours && s.kind != Floor && s.kind != FloorTuned {
		return nil
	}
	tell("start", 0, 0)
	some := s.fleet()
	one := func(ctx context.Context, expect func(fixture.Kind, int)) (made, error) {
		s.changes++
		expect(fixture.Cluster, s.changes)
		return s.server.change(ctx, s.set, fixture.Cluster, 0, s.changes)
	}
	if ours {
		some.Marked, some.MarkedCluster = s.cfg.Concerned, concernedNamespace
		one = func(ctx context.Context, expect func(fixture.Kind, int)) (made, error) {
			s.changes++
			expect(fixture.Cluster, s.changes)
			return d.override(ctx, s.set, s.changes)
		}
	} else {
		some.Proxies = s.cfg.Concerned
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("not over after %v", patience))
	defer cancel()
	fleet := swarm.Open(ctx, some)
	defer func() { err = errors.Join(err, fleet.Close()) }()
	if _, err := fleet.WaitFull(ctx); err != nil {
		return err
	}
	// The start has left garbage. To collect it takes as long as some hundred
	// such changes, of which it is not part.
	if _, err := s.collected(ctx); err != nil {
		return err
	}
	return s.batch(ctx, fleet, s.cfg.Concerned, &s.results.concerned, tell, one)
}
