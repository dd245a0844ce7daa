package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/deltaplane/deltaplane/internal/telemetry"
)

// How long the end of serve, and of a command, may take for the spans that
// are left: not long, since a receiver that does not answer gets none anyway.
const (
	lastSpans     = 2 * time.Second
	commandsSpans = time.Second
)

// startTracing makes traces if the settings or OpenTelemetry's environment ask
// for them, and puts their ids into the log.
func (srv *server) startTracing(ctx context.Context) (err error) {
	srv.tracing, err = telemetry.Start(ctx, telemetry.Config{Endpoint: srv.settings.OTLPEndpoint, Version: version, Logger: srv.log.With("part", "traces")})
	if err != nil {
		return usageError{err.Error()}
	}
	srv.log = slog.New(srv.tracing.LogHandler(srv.log.Handler()))
	return nil
}

// stopTracing sends what is left. That it cannot be sent is no failure of the
// control plane: the log says it.
func (srv *server) stopTracing() error {
	ctx, cancel := context.WithTimeout(context.Background(), lastSpans)
	defer cancel()
	return srv.tracing.Close(ctx)
}

// traced begins the span of a command that sends req, if OpenTelemetry's
// environment asks for traces. end sends it.
func (t *terminal) traced(ctx context.Context, req request) (_ context.Context, end func(error), err error) {
	tracing, err := telemetry.Start(ctx, telemetry.Config{Version: version, Once: true})
	if err != nil {
		return nil, nil, usageError{err.Error()}
	}
	spanned, done := tracing.Command(ctx, "deltaplane "+req.path[0])
	return spanned, func(err error) {
		done(err)
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), commandsSpans)
		defer cancel()
		_ = tracing.Close(last) // lost spans are no failure of the command
	}, nil
}
