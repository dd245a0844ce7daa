package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/deltaplane/deltaplane/bench/hops"
)

// visit enters a control plane that runs elsewhere.
func (s *side) visit(ctx context.Context) (err error) {
	at := s.cfg.Server
	s.api, s.xds = &api{url: at.URL, http: http.Client{Transport: at.Transport}}, at.XDS
	s.guest, s.plan.guest = newGuest(s.api, s.cfg.namespaceOf(s.shape)), true
	s.api.namespace, s.api.owner = s.guest.namespace, s.guest.owner
	if err := s.guest.check(ctx); err != nil {
		return err
	}
	if err := s.guest.readClock(ctx); err != nil {
		return err
	}
	if s.cfg.Traces != "" {
		if s.spans, err = hops.SendOnly(ctx, s.cfg.Traces); err != nil {
			return unreceived(err)
		}
	}
	s.leave = func() error { // also when the run is interrupted
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leavePatience)
		defer cancel()
		return s.guest.leave(ctx)
	}
	return s.guest.enter(ctx)
}

// unreceived is an ErrConfig where traces go that nobody takes.
func unreceived(err error) error {
	if errors.Is(err, hops.ErrNoReceiver) {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return err
}

// origin is where the side's Envoys get their configuration.
func (s *side) origin() origin {
	if s.guest != nil {
		return origin{s.xds, s.guest.cluster}
	}
	return origin{s.xds, "bench"}
}

// node is the name of an Envoy; elsewhere no other run's has it.
func (s *side) node(n int) string {
	if s.guest != nil {
		return fmt.Sprintf("%s%s-%d", s.guest.owner, s.shape, n)
	}
	return fmt.Sprintf("%s-%d", s.shape, n)
}
