package profile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// admin is an Envoy's admin interface that answers as fails says, and writes
// what it was asked for into a file.
type admin struct {
	fails error
	path  string
}

func (a admin) Post(_ context.Context, path string) ([]byte, error) {
	if a.path != "" {
		return nil, os.WriteFile(a.path, []byte(path), 0o600)
	}
	return nil, a.fails
}

func TestAnEnvoyWithoutAProfilerIsToldAsThat(t *testing.T) {
	path := filepath.Join(t.TempDir(), "envoy.prof")
	broken := errors.New("500 Internal Server Error: failure to start the profiler")
	if err := StartEnvoy(t.Context(), admin{fails: broken}); !errors.Is(err, ErrNoProfiler) || !errors.Is(err, broken) {
		t.Errorf("error is %v", err)
	}
	if err := StopEnvoy(t.Context(), admin{fails: broken}, path); !errors.Is(err, broken) {
		t.Errorf("error is %v", err)
	}
	if err := StopEnvoy(t.Context(), admin{}, path); !errors.Is(err, ErrNoProfiler) {
		t.Errorf("nothing is written: error is %v", err)
	}
	if err := errors.Join(StartEnvoy(t.Context(), admin{path: path}), StopEnvoy(t.Context(), admin{path: path}, path)); err != nil {
		t.Error(err)
	}
}
