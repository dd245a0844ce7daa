package swarm

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/deltaplane/deltaplane/bench/swarm/fixture"
)

// Config says what a swarm is. Address, Proxies and Expect are required.
type Config struct {
	Address  string // of the xDS server, host:port, without TLS
	Protocol Protocol
	Proxies  int
	First    int         // number of the first one: proxies of one number say that they are the same node
	Expect   fixture.Set // what a proxy has when it is full

	Cluster    string // of the nodes; default "bench"
	Extensions int    // that each node lists; an Envoy has more than 500
	ByName     bool   // endpoints and routes are asked for by name, as Envoys do, not with the wildcard

	// The first so many proxies are of another cluster.
	Marked        int
	MarkedCluster string

	// Held are versions that all proxies say they have. A proxy that has
	// everything so is not full, as it gets nothing.
	Held *Versions

	// ComeBack has proxies whose stream ends open another one, as Envoys do.
	// Default: the swarm ends with an error.
	ComeBack bool
}

// Swarm is a number of proxies. Its methods may be called from any goroutine.
type Swarm struct {
	// Fixed at birth.
	cfg     Config
	began   time.Time
	ledger  *ledger
	proxies []*proxy
	dialing chan struct{} // a token for each that is
	asks    asks

	full, told countdown

	cancel  context.CancelCauseFunc
	ctx     context.Context // of the proxies; done when one has ended
	running sync.WaitGroup
}

// dials is how many proxies connect at a time.
const dials = 256

var errClosed = errors.New("the swarm was closed")

// Open starts the proxies, which connect at once. The caller must call Close.
// When a proxy's stream ends, so do all, unless they are to come back.
func Open(ctx context.Context, cfg Config) *Swarm {
	s := newSwarm(ctx, cfg)
	var proxies []*proxy
	for i := range cfg.Proxies {
		proxies = append(proxies, &proxy{swarm: s, id: i})
	}
	s.start(proxies)
	return s
}

func newSwarm(ctx context.Context, cfg Config) *Swarm {
	if cfg.Cluster == "" {
		cfg.Cluster = "bench"
	}
	s := &Swarm{cfg: cfg, dialing: make(chan struct{}, dials)}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	var err error
	if s.asks, err = cfg.asks(); err != nil {
		s.cancel(err)
	}
	return s
}

// start runs the proxies.
func (s *Swarm) start(proxies []*proxy) {
	s.proxies = proxies
	s.full.init(len(proxies))
	s.told.init(len(proxies))
	s.began = time.Now()
	s.ledger = newLedger(s.began)
	for _, p := range proxies {
		s.running.Go(func() {
			if err := p.run(s.ctx); err != nil {
				s.cancel(fmt.Errorf("proxy %s: %w", NodeID(s.cfg.First+p.id), err))
			}
		})
	}
}

// Began is when the first proxy began to connect.
func (s *Swarm) Began() time.Time { return s.began }

// WaitFull waits until every proxy has everything, and tells when the last one
// had it.
func (s *Swarm) WaitFull(ctx context.Context) (time.Time, error) {
	return s.full.wait(ctx, s, "have all resources")
}

// WaitTold waits until every proxy has sent all of its subscriptions, and
// tells when the last one had.
func (s *Swarm) WaitTold(ctx context.Context) (time.Time, error) {
	return s.told.wait(ctx, s, "have sent their requests")
}

// Expect says that a change of a kind is about to be made, which should reach
// some of the proxies. Changes' numbers grow.
func (s *Swarm) Expect(k fixture.Kind, change, some int) *Arrivals {
	return s.ledger.expect(k, change, len(s.proxies), some)
}

// Wait waits until a change has reached all who should have it.
func (s *Swarm) Wait(ctx context.Context, a *Arrivals) error {
	select {
	case <-a.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("change %d has not reached %d proxies: %w", a.change, a.Left(), context.Cause(ctx))
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	}
}

// Traffic is what proxies have received.
type Traffic struct {
	Bytes     int64 // from their connections, with all framing
	Responses int64
	Resources int64 // in them, and removals
	Lost      int64 // streams that ended, of proxies that come back
}

// Traffic is what all proxies have received so far.
func (s *Swarm) Traffic() (t Traffic) {
	for _, p := range s.proxies {
		t.Bytes += p.received.Load()
		t.Responses += p.responses.Load()
		t.Resources += p.resources.Load()
		t.Lost += p.lost.Load()
	}
	return t
}

// Close cuts all connections and waits for the proxies. It returns why a
// stream ended before, if one did.
func (s *Swarm) Close() error {
	s.cancel(errClosed)
	s.running.Wait()
	if err := context.Cause(s.ctx); !errors.Is(err, errClosed) {
		return err
	}
	return nil
}

// countdown waits for something of all proxies.
type countdown struct {
	left atomic.Int64
	at   time.Time // of the last; read after done
	done chan struct{}
}

func (c *countdown) init(n int) {
	c.done = make(chan struct{})
	c.left.Store(int64(n))
}

func (c *countdown) add() {
	if c.left.Add(-1) == 0 {
		c.at = time.Now()
		close(c.done)
	}
}

func (c *countdown) wait(ctx context.Context, s *Swarm, what string) (time.Time, error) {
	select {
	case <-c.done:
		return c.at, nil
	case <-ctx.Done():
		return time.Time{}, fmt.Errorf("%d of %d proxies do not %s: %w", c.left.Load(), len(s.proxies), what, context.Cause(ctx))
	case <-s.ctx.Done():
		return time.Time{}, context.Cause(s.ctx)
	}
}
