package client

import (
	"context"
	"log/slog"
	"time"
)

// logger tells of a stream's failures: names and states, never contents.
type logger struct {
	to  *slog.Logger
	typ string // "" on the aggregated service
}

func (l logger) name() string {
	if l.typ == "" {
		return "aggregated"
	}
	return l.typ
}

func (l logger) failed(ctx context.Context, err error, failures int, delay time.Duration) {
	l.to.WarnContext(ctx, "control plane stream failed", "stream", l.name(), "error", err, "failures", failures, "retry_in", delay)
}

func (l logger) unreachable(ctx context.Context, err error, failures int) {
	l.to.WarnContext(ctx, "control plane is not reachable", "stream", l.name(), "error", err, "failures", failures)
}

func (l logger) live() { l.to.Debug("control plane stream is live", "stream", l.name()) }
