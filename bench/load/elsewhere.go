package load

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/deltaplane/deltaplane/api"
	"github.com/deltaplane/deltaplane/bench/clock"
)

// Clock is how the clock of a control plane that runs elsewhere stands to this
// machine's, before the changes and after them: the worse of both readings.
type Clock = clock.Worst

// readClock compares the clock of a control plane elsewhere with this
// machine's. On this machine there is nothing to compare.
func (s *side) readClock(ctx context.Context) error {
	d, ours := s.server.(*deltaplane)
	if !ours || s.cfg.Server == "" {
		return nil
	}
	reading, err := clock.Measure(ctx, clock.API(d.url, &d.http))
	if err != nil {
		return err
	}
	if d.clock == nil {
		d.clock = &reading
	}
	s.clock = clock.WorseOf(s.clock, reading)
	return nil
}

// storedAt is when a change was stored by a control plane elsewhere, by this
// machine's clock.
func (d *deltaplane) storedAt(h http.Header) (time.Time, error) {
	text := h.Get(api.CommittedAt)
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return at, fmt.Errorf("the control plane does not tell when it stored a change: %s is %q; is it older than this program?", api.CommittedAt, text)
	}
	return d.clock.Here(at), nil
}
