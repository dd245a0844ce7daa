package telemetry

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
)

func TestLinesWithinASpanCarryItsIdsAtTheTop(t *testing.T) {
	tracing, _ := inMemory(t)
	ctx, end := tracing.Command(t.Context(), "deltaplane apply")
	defer end(nil)
	for name, derive := range map[string]func(*slog.Logger) *slog.Logger{
		"plain":                   func(l *slog.Logger) *slog.Logger { return l },
		"with attributes":         func(l *slog.Logger) *slog.Logger { return l.With("part", "xds") },
		"with a group":            func(l *slog.Logger) *slog.Logger { return l.With("part", "xds").WithGroup("g").With("a", 1) },
		"with groups in groups":   func(l *slog.Logger) *slog.Logger { return l.WithGroup("g").With("a", 1).WithGroup("h") },
		"with a group of no name": func(l *slog.Logger) *slog.Logger { return l.WithGroup("") },
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			log := derive(slog.New(tracing.LogHandler(slog.NewJSONHandler(&out, nil))))
			log.InfoContext(ctx, "committed", "version", 7)
			var line map[string]any
			if err := json.Unmarshal(out.Bytes(), &line); err != nil {
				t.Fatal(err)
			}
			trace, _ := line["trace_id"].(string)
			span, _ := line["span_id"].(string)
			if len(trace) != 32 || len(span) != 16 || line["trace_flags"] != "01" {
				t.Errorf("the line is %s", out.String())
			}
			if strings.Count(out.String(), "trace_id") != 1 || !strings.Contains(out.String(), `"version":7`) {
				t.Errorf("the line is %s", out.String())
			}
			out.Reset()
			log.InfoContext(t.Context(), "serving")
			if strings.Contains(out.String(), "trace_id") {
				t.Errorf("outside any span the line is %s", out.String())
			}
		})
	}
	var out bytes.Buffer
	slog.New(tracing.LogHandler(slog.NewTextHandler(&out, nil))).InfoContext(ctx, "committed")
	if !strings.Contains(out.String(), " trace_id=") || !strings.Contains(out.String(), " span_id=") || !strings.Contains(out.String(), " trace_flags=01") {
		t.Errorf("as text the line is %s", out.String())
	}
}
