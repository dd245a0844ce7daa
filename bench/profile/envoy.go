package profile

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Admin is an Envoy's admin interface: an *envoy.Process. Post blocks until
// the answer is there, and an answer other than 200 is an error.
type Admin interface {
	Post(ctx context.Context, path string) ([]byte, error)
}

// ErrNoProfiler means that an Envoy has no CPU profiler, as its default build,
// which has tcmalloc without gperftools.
var ErrNoProfiler = errors.New("this Envoy's build has no CPU profiler: use one that is built with gperftools, or perf")

// StartEnvoy turns an Envoy's CPU profiler on. Its profile goes to the file
// that admin.profile_path in its bootstrap names, when StopEnvoy is called.
func StartEnvoy(ctx context.Context, a Admin) error {
	if _, err := a.Post(ctx, "/cpuprofiler?enable=y"); err != nil {
		return fmt.Errorf("%w (%w)", ErrNoProfiler, err)
	}
	return nil
}

// StopEnvoy turns it off. An Envoy that wrote nothing to path is an error.
func StopEnvoy(ctx context.Context, a Admin, path string) error {
	if _, err := a.Post(ctx, "/cpuprofiler?enable=n"); err != nil {
		return err
	}
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		return fmt.Errorf("%w (nothing is in %s)", ErrNoProfiler, path)
	}
	return nil
}
