package envoytest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// built is the binary under test, made once per test process.
var built struct {
	once sync.Once
	path string
	err  error
}

// Binary builds cmd/deltaplane, with the checks of its invariants and with
// the fault points, which do nothing unless asked to, and returns its path. It stays until the test process's CleanUp.
func Binary(t testing.TB) string {
	t.Helper()
	built.once.Do(func() { built.path, built.err = build() })
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.path
}

func build() (string, error) {
	dir, err := os.MkdirTemp("", "deltaplane-test-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "deltaplane")
	cmd := exec.Command("go", "build", "-tags", "invariants,faults", "-o", path, "github.com/deltaplane/deltaplane/cmd/deltaplane")
	if output, err := cmd.CombinedOutput(); err != nil {
		return path, fmt.Errorf("build of cmd/deltaplane: %w\n%s", err, output)
	}
	return path, nil
}

// CleanUp removes what Binary built. Call it at the end of TestMain.
func CleanUp() {
	if built.path != "" {
		os.RemoveAll(filepath.Dir(built.path))
	}
}
