package envoy

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// ErrNoEnvoy is what Find fails with; its text tells what to do.
var ErrNoEnvoy = errors.New("no Envoy found: run `make envoy` in deltaplane's repository, or set ENVOY to the path of one")

// Find looks for an Envoy binary: $ENVOY, then .envoy/envoy in the working
// directory or a parent of it (where `make envoy` puts it), then $PATH.
func Find() (string, error) {
	if path := os.Getenv("ENVOY"); path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("ENVOY: %w: %w", err, ErrNoEnvoy)
		}
		return path, nil
	}
	if dir, err := os.Getwd(); err == nil {
		for {
			path := filepath.Join(dir, ".envoy", "envoy")
			if _, err := os.Stat(path); err == nil {
				return path, nil
			}
			parent := filepath.Dir(dir)
			if parent == dir {
				break
			}
			dir = parent
		}
	}
	if path, err := exec.LookPath("envoy"); err == nil {
		return path, nil
	}
	return "", ErrNoEnvoy
}
