package xds

import (
	"context"
	"log/slog"
)

// eventLog writes events as log lines: refusals as warnings, the rest for
// debugging. No line holds what is in a resource.
type eventLog struct {
	*slog.Logger
	watch   stopwatch
	repeats *repeats
}

var kindNames = [...]string{
	Opened: "stream opened", Closed: "stream closed", Subscribed: "subscribed", Sent: "response sent",
	Overdue: "response is not answered; what waits for it goes on", Acked: "response accepted", Refused: "response refused", Withheld: "what was refused is withheld", Current: "client is current",
}

// event writes e; nonce is that of the response it is about, if any. Of
// refusals it writes as many as repeats admits.
func (l eventLog) event(ctx context.Context, e *Event, nonce string) {
	level := slog.LevelDebug
	if e.Kind == Refused || e.Kind == Overdue {
		level = slog.LevelWarn
	}
	if !l.Enabled(ctx, level) {
		return
	}
	why := reason{clip(e.Node.GetId()), e.Type.Short(), truncate(e.Detail, maxLoggedDetail)}
	suppressed, others := 0, 0
	if e.Kind == Refused {
		var log bool
		if log, suppressed, others = l.repeats.admit(why, e.Time); !log {
			return
		}
	}
	attrs := []slog.Attr{
		slog.String("node", why.node), slog.Uint64("stream", e.Stream), slog.String("peer", e.Peer),
		slog.Uint64("version", uint64(e.Version)),
	}
	if e.Type != "" {
		attrs = append(attrs, slog.String("type", e.Type.Short()))
	}
	if e.Kind == Sent || e.Kind == Acked || e.Kind == Refused {
		attrs = append(attrs, slog.String("nonce", nonce))
	}
	switch e.Kind {
	case Subscribed:
		attrs = append(attrs, slog.Bool("wildcard", e.Wildcard), slog.Int("names", e.Names))
	case Sent:
		attrs = append(attrs, slog.Int("upserts", e.Upserts), slog.Int("removed", e.Removed), slog.Int("bytes", e.Bytes))
	case Refused:
		attrs = append(attrs, slog.String("detail", why.detail), slog.Any("resources", loggedNames(e.Resources)))
		if suppressed > 0 {
			attrs = append(attrs, slog.Int("suppressed", suppressed))
		}
		if others > 0 {
			attrs = append(attrs, slog.Int("other_refusals_suppressed", others))
		}
	}
	l.LogAttrs(l.watch.within(ctx, e.Version), level, kindNames[e.Kind], attrs...)
}

// loggedNames are the first of names, each shortened.
func loggedNames(names []string) []string {
	few := make([]string, min(len(names), maxLoggedNames))
	for i := range few {
		few[i] = clip(names[i])
	}
	return few
}
