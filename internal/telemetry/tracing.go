package telemetry

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/api"
	"github.com/deltaplane/deltaplane/xds"
)

// Tracing makes traces and sends them. A nil *Tracing is off: its methods
// return nil, or do nothing. All methods may be called from any goroutine.
type Tracing struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	board    *board

	kill    context.CancelFunc // makes exports fail at once
	running sync.WaitGroup     // the board's goroutine
	stop    context.CancelFunc // ends it
	closing sync.Once
	closed  error
}

// Start makes a Tracing, nil when neither cfg nor the environment asks for
// one. A receiver that does not answer is no error: spans that cannot be sent
// are dropped. ctx bounds the call alone; Close ends what it starts.
func Start(ctx context.Context, cfg Config) (*Tracing, error) {
	protocol, err := cfg.protocol()
	if protocol == "" {
		return nil, err
	}
	life, kill := context.WithCancel(context.WithoutCancel(ctx))
	exporter, err := newExporter(ctx, life, protocol, cfg)
	if err != nil {
		kill()
		return nil, err
	}
	about, err := describe(ctx, cfg.Version)
	if err != nil {
		kill()
		return nil, errors.Join(err, exporter.Shutdown(ctx))
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	otel.SetErrorHandler(&complaints{log: cfg.Logger})
	return start(life, kill, sdk.WithBatcher(exporter), sdk.WithResource(about)), nil
}

// start makes a Tracing with a life of its own.
func start(life context.Context, kill context.CancelFunc, options ...sdk.TracerProviderOption) *Tracing {
	t := &Tracing{provider: sdk.NewTracerProvider(options...), kill: kill}
	t.tracer = t.provider.Tracer("github.com/deltaplane/deltaplane")
	t.board = newBoard(t.tracer)
	life, t.stop = context.WithCancel(life)
	t.running.Go(func() { t.board.run(life) })
	return t
}

// describe says who makes these traces; the environment may say otherwise.
func describe(ctx context.Context, version string) (*resource.Resource, error) {
	host, _ := os.Hostname() // without one there is nothing to say
	return resource.New(ctx,
		resource.WithAttributes(
			attribute.String("service.name", "deltaplane"), attribute.String("service.version", version),
			attribute.String("host.name", host), attribute.Int("process.pid", os.Getpid())),
		resource.WithTelemetrySDK(),
		resource.WithFromEnv())
}

// Close sends what is left, for as long as ctx allows, and returns when
// nothing runs any more. What could not be sent is lost.
func (t *Tracing) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	t.closing.Do(func() {
		t.stop()
		t.running.Wait()
		defer context.AfterFunc(ctx, t.kill)()
		t.closed = t.provider.Shutdown(context.WithoutCancel(ctx)) // ends soon once exports fail
		t.kill()
	})
	return t.closed
}

// Store is what the store tells of commits.
func (t *Tracing) Store() deltaplane.Tracer {
	if t == nil {
		return nil
	}
	return commits{t}
}

// API is what the API tells of requests.
func (t *Tracing) API() api.Tracer {
	if t == nil {
		return nil
	}
	return requests{t}
}

// XDS is what the xDS server tells of pushes.
func (t *Tracing) XDS() xds.Tracer {
	if t == nil {
		return nil
	}
	return t.board
}

// complaints puts errors of the OpenTelemetry SDK into the log, at most one a
// minute: a receiver that is away fails every few seconds.
type complaints struct {
	log *slog.Logger

	mu   sync.Mutex
	last time.Time
}

// Handle is part of otel.ErrorHandler.
func (c *complaints) Handle(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.last) < time.Minute {
		return
	}
	c.last = time.Now()
	c.log.Warn("traces are lost; everything else goes on", "error", err)
}
