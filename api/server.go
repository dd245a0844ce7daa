package api

import (
	"context"
	"log/slog"
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/source"
)

// Config says what a Server serves and to whom. Store is required; the zero
// value of each other field takes its default.
type Config struct {
	Store   *deltaplane.Store
	Proxies Proxies // who is connected; default: nobody
	Waiter  Waiter  // for ?wait; default: nobody is waited for
	Sources Sources // what is watched; default: nothing
	// Resync has everything that a node refused sent to it again, and reports
	// whether the node is connected; default: none is.
	Resync  func(node string) bool
	Decoder resource.Decoder // how strictly inputs are read
	Tokens  Tokens           // who may call; empty: everybody who reaches the listener
	// AnyHost accepts every Host header. Without tokens it must stay false on
	// a loopback listener, or web pages reach the API by DNS rebinding.
	AnyHost    bool
	Timeout    time.Duration // of one request without ?wait or ?timeout; default 30 s
	MaxBody    int64         // bytes of a request body; default 64 MiB
	MaxDecodes int           // bodies parsed at the same time; default GOMAXPROCS
	Logger     *slog.Logger  // default: discard
	Registerer prometheus.Registerer
	Tracer     Tracer // default: none
}

// Proxies tells what the connected proxies hold. Its methods are called from
// any goroutine and do not block.
type Proxies interface {
	// Proxies lists every known proxy by node id.
	Proxies() []Proxy
	// Proxy looks one up.
	Proxy(node string) (Proxy, bool)
	// Changed closes at the next thing that a proxy does.
	Changed() <-chan struct{}
}

// Waiter waits for acknowledgements. Wait is called from any goroutine, and
// blocks.
type Waiter interface {
	// Wait returns when every connected proxy that v concerns has
	// acknowledged it, or early with those that have not and the reason:
	// when one has refused it, or ctx ends.
	Wait(ctx context.Context, v deltaplane.Version) ([]Proxy, error)
}

// Server is the admin API as an http.Handler. It starts no goroutines.
type Server struct {
	cfg      Config
	mux      *http.ServeMux
	origins  *http.CrossOriginProtection
	metrics  *metrics
	guarded  http.Handler
	bodies   *semaphore.Weighted // bytes of bodies in memory
	decoding chan struct{}       // a slot per body that is being parsed
	large    chan struct{}       // the slot of the large one that is

	closeOnce sync.Once
	closing   chan struct{} // ends watches and waits
}

// New makes a Server of cfg.
func New(cfg Config) *Server {
	if cfg.Proxies == nil {
		cfg.Proxies = nobody{}
	}
	if cfg.Waiter == nil {
		cfg.Waiter = nobody{}
	}
	if cfg.Sources == nil {
		cfg.Sources = &source.Board{}
	}
	if cfg.Resync == nil {
		cfg.Resync = func(string) bool { return false }
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 30 * time.Second
	}
	if cfg.MaxBody == 0 {
		cfg.MaxBody = 64 << 20
	}
	if cfg.MaxDecodes == 0 {
		cfg.MaxDecodes = runtime.GOMAXPROCS(0)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{
		cfg:      cfg,
		mux:      http.NewServeMux(),
		origins:  http.NewCrossOriginProtection(),
		metrics:  newMetrics(cfg.Registerer),
		bodies:   semaphore.NewWeighted(bodiesInMemory * cfg.MaxBody),
		decoding: make(chan struct{}, cfg.MaxDecodes),
		large:    make(chan struct{}, 1),
		closing:  make(chan struct{}),
	}
	for _, r := range s.routes() {
		s.mux.Handle(r.method+" "+r.path, s.endpoint(r))
	}
	s.guarded = s.guard(http.HandlerFunc(s.dispatch))
	return s
}

// ServeHTTP answers one request after the checks of guard.go.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.guarded.ServeHTTP(w, r) }

// Close ends all watches and waits, so that http.Server.Shutdown need not wait
// for them. Requests that are committing go on.
func (s *Server) Close() { s.closeOnce.Do(func() { close(s.closing) }) }

// nobody is Proxies for a server without an xDS side.
type nobody struct{}

func (nobody) Proxies() []Proxy                                          { return nil }
func (nobody) Proxy(string) (Proxy, bool)                                { return Proxy{}, false }
func (nobody) Changed() <-chan struct{}                                  { return nil }
func (nobody) Wait(context.Context, deltaplane.Version) ([]Proxy, error) { return nil, nil }
