// Package envoytest gives tests real Envoys, backends and traffic. Everything
// that it starts ends with the test. A test that needs an Envoy fails, and
// says how to get one, where there is none.
package envoytest

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane/internal/envoy"
	"github.com/deltaplane/deltaplane/internal/traffic"
)

// Patience bounds every wait for something that should happen soon: it says
// when a test gives up, not how fast anything must be.
const Patience = 30 * time.Second

// Context ends when the test does, or after Patience.
func Context(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	t.Cleanup(cancel)
	return ctx
}

// Envoy is a real Envoy that a test runs.
type Envoy struct {
	*envoy.Process
	t testing.TB
}

// Start runs an Envoy with the bootstrap. What Envoy logged is printed when
// the test fails; with ENVOY_LOG=trace, all of it at that level.
func Start(t testing.TB, bootstrap envoy.Bootstrap) *Envoy {
	t.Helper()
	text, err := bootstrap.YAML()
	if err != nil {
		t.Fatal(err)
	}
	return StartYAML(t, text)
}

// StartYAML is Start for a bootstrap of the test's own.
func StartYAML(t testing.TB, bootstrap string) *Envoy {
	t.Helper()
	dir := t.TempDir()
	p, err := envoy.Start(Context(t), envoy.Config{Dir: dir, Bootstrap: bootstrap, LogLevel: os.Getenv("ENVOY_LOG")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			lines := 25
			if os.Getenv("ENVOY_LOG") != "" {
				lines = 1 << 30
			}
			t.Logf("Envoy's log ends with:\n%s", p.LogTail(lines))
		}
	})
	return &Envoy{p, t}
}

// Backend runs a backend that answers with its name.
func Backend(t testing.TB, name string) *traffic.Backend {
	t.Helper()
	b, err := traffic.NewBackend(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The test's own context is done by now.
		ctx, cancel := context.WithTimeout(context.Background(), Patience)
		defer cancel()
		if err := b.Close(ctx); err != nil {
			t.Errorf("backend %q: %v", name, err)
		}
	})
	return b
}
