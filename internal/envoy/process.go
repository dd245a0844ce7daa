package envoy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/deltaplane/deltaplane/internal/child"
)

// stopGrace is how long Stop waits for an orderly end before it kills.
const stopGrace = 5 * time.Second

// Config says which Envoy to run, and how.
type Config struct {
	Path        string // of the binary; default: Find
	Dir         string // an existing directory of this Envoy's own: bootstrap, log, admin address
	Bootstrap   string // YAML; its admin address should have port 0
	Concurrency int    // worker threads; default 1
	LogLevel    string // default "info"
	ProfilePath string // of the file that /cpuprofiler writes, in builds that have it; default: Envoy's own
}

// Process is one running Envoy. Its methods may be called from any goroutine.
type Process struct {
	child *child.Process
	dir   string
	admin string
}

// Start runs an Envoy and returns once its admin interface listens, or when
// ctx is done or Envoy has ended before. The caller must call Stop. On Linux
// the kernel ends the Envoy when this process dies without having done so.
func Start(ctx context.Context, cfg Config) (*Process, error) {
	if cfg.Path == "" {
		path, err := Find()
		if err != nil {
			return nil, err
		}
		cfg.Path = path
	}
	p := &Process{dir: cfg.Dir}
	if err := p.spawn(cfg); err != nil {
		return nil, err
	}
	if err := p.waitForAdmin(ctx); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return p, nil
}

func (p *Process) file(name string) string { return filepath.Join(p.dir, name) }

// spawn writes the bootstrap and starts the process.
func (p *Process) spawn(cfg Config) error {
	if err := os.WriteFile(p.file("bootstrap.yaml"), []byte(cfg.Bootstrap), 0o600); err != nil {
		return fmt.Errorf("envoy bootstrap: %w", err)
	}
	log, err := os.Create(p.file("envoy.log"))
	if err != nil {
		return fmt.Errorf("envoy log: %w", err)
	}
	level := cfg.LogLevel
	if level == "" {
		level = "info"
	}
	var more []string
	if cfg.ProfilePath != "" {
		more = []string{"--config-yaml", fmt.Sprintf("admin: {profile_path: %q}", cfg.ProfilePath)}
	}
	cmd := exec.Command(cfg.Path, append(more,
		"-c", p.file("bootstrap.yaml"),
		"--admin-address-path", p.file("admin"),
		"--disable-hot-restart",
		"--concurrency", strconv.Itoa(max(1, cfg.Concurrency)),
		"--drain-time-s", "1",
		"--log-level", level)...)
	cmd.Stdout, cmd.Stderr = log, log
	p.child, err = child.Start(cmd, func() { log.Close() })
	if err != nil {
		return fmt.Errorf("envoy: %w", err)
	}
	return nil
}

// waitForAdmin polls for the file that Envoy writes once its admin interface
// has a port; Envoy offers no event for that.
func (p *Process) waitForAdmin(ctx context.Context) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if address, err := os.ReadFile(p.file("admin")); err == nil && len(address) > 0 {
			p.admin = strings.TrimSpace(string(address))
			return nil
		}
		select {
		case <-tick.C:
		case <-p.child.Done():
			return fmt.Errorf("envoy ended before it was up (%w); its log ends with:\n%s", p.child.Err(), p.LogTail(20))
		case <-ctx.Done():
			return fmt.Errorf("envoy has no admin address yet: %w", context.Cause(ctx))
		}
	}
}

// Pid is the process's id.
func (p *Process) Pid() int { return p.child.Pid() }

// Done closes when the process has ended, whoever ended it.
func (p *Process) Done() <-chan struct{} { return p.child.Done() }

// LogTail is the last n lines of what Envoy logged.
func (p *Process) LogTail(n int) string {
	data, err := os.ReadFile(p.file("envoy.log"))
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// Stop ends the process and waits for it. It is an error when Envoy had
// ended by itself before. A second Stop does nothing.
func (p *Process) Stop() error {
	if err := p.child.Stop(stopGrace); err != nil {
		return fmt.Errorf("envoy ended by itself (%w); its log ends with:\n%s", err, p.LogTail(20))
	}
	return nil
}
