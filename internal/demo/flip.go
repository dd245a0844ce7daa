package demo

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/deltaplane/deltaplane/internal/gateway"
	"github.com/deltaplane/deltaplane/internal/traffic"
)

// flipPatience is when a flip counts as lost.
const flipPatience = 15 * time.Second

// flip is one route that goes to another cluster, and what became of it. The
// times count from the moment that the change was sent to the API.
type flip struct {
	host, route int
	to          string // cluster

	stored       time.Duration // the API has answered: durable and published
	acknowledged time.Duration // Envoy has; 0 if that is not known
	traffic      time.Duration // the first request took the new route
}

// flipper makes flips one after the other: never the same route twice in a
// row, and back again when all have had their turn.
type flipper struct {
	gateway gateway.Gateway
	made    int
}

// next is the flip to make. Hosts are taken far apart from each other.
func (f *flipper) next() flip {
	n := f.made
	f.made++
	routes := f.gateway.Hosts * f.gateway.Routes
	to := f.gateway.Clusters[(n/routes+1)%len(f.gateway.Clusters)].Name
	n = n * stride(routes) % routes
	return flip{host: n / f.gateway.Routes, route: n % f.gateway.Routes, to: to}
}

// stride is far from 1 and has no divisor in common with n, so that its
// multiples visit all of n.
func stride(n int) int {
	s := n*5/8 + 1
	for gcd(s, n) != 1 {
		s++
	}
	return s
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// run makes the flip and waits until traffic takes it.
func (f flip) run(ctx context.Context, s *scene) (flip, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, flipPatience, fmt.Errorf("not there after %v", flipPatience))
	defer cancel()
	start := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		answer, err := s.probe.Until(ctx, traffic.Request{Host: s.gateway.Host(f.host), Path: s.gateway.Path(f.route)}, f.to)
		f.traffic = answer.At.Sub(start)
		return err
	})
	group.Go(func() error {
		version, err := s.api.flip(ctx, s.gateway, f)
		if err != nil {
			return err
		}
		f.stored = time.Since(start)
		if s.cfg.Acknowledged == nil {
			return nil
		}
		if err := s.cfg.Acknowledged(ctx, version); err != nil {
			return fmt.Errorf("version %d: %w", version, err)
		}
		f.acknowledged = time.Since(start)
		return nil
	})
	err := group.Wait()
	return f, err
}
