package envoy_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/deltaplane/deltaplane/internal/envoy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAMissingEnvoyIsAnErrorThatSaysHowToGetOne(t *testing.T) {
	t.Setenv("ENVOY", filepath.Join(t.TempDir(), "absent"))
	_, err := envoy.Find()
	if !errors.Is(err, envoy.ErrNoEnvoy) || !strings.Contains(err.Error(), "make envoy") {
		t.Errorf("error is %v, want ErrNoEnvoy with the hint `make envoy`", err)
	}
}

func TestABootstrapThatEnvoyRefusesIsAnErrorWithItsReason(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	_, err := envoy.Start(ctx, envoy.Config{Dir: t.TempDir(), Bootstrap: "no_such_field: 1"})
	if err == nil || !strings.Contains(err.Error(), "no_such_field") {
		t.Errorf("error is %v, want one that names no_such_field", err)
	}
}

func TestAnEnvoyThatIsStoppedIsGone(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for _, mode := range envoy.Modes() {
		t.Run(mode.String(), func(t *testing.T) {
			bootstrap, err := envoy.Bootstrap{XDS: "127.0.0.1:1", Mode: mode, NodeID: "n", Cluster: "c", RTDS: []string{"r"}}.YAML()
			if err != nil {
				t.Fatal(err)
			}
			p, err := envoy.Start(ctx, envoy.Config{Dir: t.TempDir(), Bootstrap: bootstrap})
			if err != nil {
				t.Fatal(err)
			}
			stats, err := p.Stats(ctx, "^server.live$")
			if err != nil || len(stats) != 1 {
				t.Errorf("server.live is %v, error %v", stats, err)
			}
			if err := p.Stop(); err != nil {
				t.Fatal(err)
			}
			if _, err := p.Stats(ctx, "^server.live$"); err == nil {
				t.Error("the admin interface still answers after Stop")
			}
			if err := p.Stop(); err != nil {
				t.Errorf("second Stop: %v", err)
			}
		})
	}
}
