package embedetcd

import (
	"context"
	"log/slog"
	"sync/atomic"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// logCore hands etcd's zap records to slog. What etcd calls info is debug
// here: it tells of etcd's inner life. What etcd calls debug goes nowhere, as
// it quotes requests with their values, which may be private keys. While the server stops, etcd reports
// its own stopping as errors, so then nothing passes.
type logCore struct {
	log   *slog.Logger
	quiet *atomic.Bool // shared with the cores that With makes
}

// harmless is what etcd warns of in every healthy start of a single member
// without sockets.
var harmless = map[string]bool{
	"Running http and grpc server on single port. This is not recommended for production.": true,
	"simple token is not cryptographically signed":                                         true,
	"Failed to detect schema version":                                                      true,
	"failed to update storage version":                                                     true,
}

func newLogCore(log *slog.Logger) *logCore {
	return &logCore{log.With("component", "etcd"), new(atomic.Bool)}
}

// logger is a Logger on c, which hands to f what etcd would end the process for.
func (c *logCore) logger(f *failure) *zap.Logger {
	return zap.New(c, zap.WithFatalHook(f), zap.WithPanicHook(f))
}

// Enabled implements zapcore.Core.
func (c *logCore) Enabled(l zapcore.Level) bool {
	return l >= zapcore.InfoLevel && !c.quiet.Load() && c.log.Enabled(context.Background(), levelOf(l))
}

// With implements zapcore.Core.
func (c *logCore) With(fields []zapcore.Field) zapcore.Core {
	return &logCore{c.log.With(attrs(fields)...), c.quiet}
}

// Check implements zapcore.Core.
func (c *logCore) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return checked.AddCore(e, c)
	}
	return checked
}

// Write implements zapcore.Core.
func (c *logCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	level := levelOf(e.Level)
	if harmless[e.Message] {
		level = slog.LevelDebug
	}
	c.log.Log(context.Background(), level, e.Message, attrs(fields)...)
	return nil
}

// Sync implements zapcore.Core.
func (c *logCore) Sync() error { return nil }

func levelOf(l zapcore.Level) slog.Level {
	switch {
	case l >= zapcore.ErrorLevel:
		return slog.LevelError
	case l == zapcore.WarnLevel:
		return slog.LevelWarn
	}
	return slog.LevelDebug
}

func attrs(fields []zapcore.Field) []any {
	m := zapcore.NewMapObjectEncoder()
	for _, f := range fields {
		f.AddTo(m)
	}
	list := make([]any, 0, len(fields))
	for _, f := range fields {
		if v, ok := m.Fields[f.Key]; ok {
			list = append(list, slog.Any(f.Key, v))
		}
	}
	return list
}
