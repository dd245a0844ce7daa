package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/deltaplane/deltaplane"
)

// Config says which control plane to show, and how. API, Bootstrap and Out are
// required; the zero value of each other field takes its default.
type Config struct {
	API       string // URL of a running control plane's HTTP API
	Bootstrap string // of the Envoy to start: leads to the same control plane; admin on a free port
	// Acknowledged waits until the Envoy has accepted a version. Without it,
	// that column stays empty.
	Acknowledged func(context.Context, deltaplane.Version) error

	Once   bool          // make Flips, then end
	Flips  int           // default 50
	Every  time.Duration // from flip to flip, if each is seen by then; default 1 s, with Once 20 ms
	Rate   int           // requests per second; default 300
	Hosts  int           // default 1,000
	Routes int           // of each host; default 10
	Plain  bool          // the table goes out as it is written

	Out io.Writer
	TTY bool // Out is a terminal: keep a status line at the bottom
}

// ErrFailed is what Run returns when a flip did not arrive or a request failed.
var ErrFailed = errors.New("the demo failed")

// Run shows the demo until it is over, or until ctx is done, which is no
// error. Nothing that it started is left when it returns.
func Run(ctx context.Context, cfg Config) (err error) {
	cfg = cfg.withDefaults()
	p := newPrinter(cfg)
	p.opening()
	s, err := open(ctx, cfg)
	defer func() { err = errors.Join(err, s.close()) }()
	if err != nil {
		return endedBy(ctx, err)
	}
	p.running(s)
	s.startTraffic(ctx)
	lost := s.flips(ctx, p)
	traffic := s.load.Stop()
	p.summary(traffic, lost)
	switch {
	case lost != nil:
		return fmt.Errorf("%w: a flip did not arrive: %w", ErrFailed, lost)
	case traffic.Failures > 0:
		return fmt.Errorf("%w: %d of %d requests did: %v", ErrFailed, traffic.Failures, traffic.Requests, traffic.Reasons)
	}
	return nil
}

func (c Config) withDefaults() Config {
	for field, value := range map[*int]int{&c.Flips: 50, &c.Rate: 300, &c.Hosts: 1000, &c.Routes: 10} {
		if *field == 0 {
			*field = value
		}
	}
	switch {
	case c.Every == 0 && c.Once:
		c.Every = 20 * time.Millisecond
	case c.Every == 0:
		c.Every = time.Second
	}
	return c
}

// flips makes flip after flip and returns why the last one is missing, if it
// is.
func (s *scene) flips(ctx context.Context, p *printer) error {
	flipper := &flipper{gateway: s.gateway}
	every := time.NewTicker(s.cfg.Every)
	defer every.Stop()
	for !s.cfg.Once || flipper.made < s.cfg.Flips {
		done, err := flipper.next().run(ctx, s)
		if err != nil {
			return endedBy(ctx, err)
		}
		p.flip(done, s.load.Report())
		select {
		case <-every.C:
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// endedBy is nil when the user has ended the demo, which is no failure.
func endedBy(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}
