package load

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/deltaplane/deltaplane/api"
	"github.com/deltaplane/deltaplane/bench/clock"
)

// authorized adds a token to each request.
type authorized struct{ token string }

func (a authorized) RoundTrip(req *http.Request) (*http.Response, error) {
	if a.token != "" {
		req = req.Clone(req.Context())
		req.Header.Set("Authorization", "Bearer "+a.token)
	}
	return http.DefaultTransport.RoundTrip(req)
}

// CloseIdleConnections is what http.Client's of that name calls.
func (a authorized) CloseIdleConnections() {
	(&http.Client{}).CloseIdleConnections()
}

// Clock is how the clock of a control plane that runs elsewhere stands to this
// machine's, before the changes and after them: the worse of both readings.
type Clock struct {
	Offset float64 `json:"offset_ms"` // what the other shows more
	Error  float64 `json:"error_ms"`  // Offset is true to this
	// Refused is why times from its commits to the proxies are not reported:
	// the clocks are further apart than such times allow.
	Refused string `json:"one_way_times_refused,omitempty"`
}

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
	if s.clock != nil && max(s.clock.Offset, -s.clock.Offset)+s.clock.Error >= ms(reading.Offset.Abs()+reading.Error) {
		return nil
	}
	if d.clock == nil {
		d.clock = &reading
	}
	s.clock = &Clock{Offset: ms(reading.Offset), Error: ms(reading.Error)}
	if err := reading.Check(); err != nil {
		s.clock.Refused = err.Error()
	}
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
