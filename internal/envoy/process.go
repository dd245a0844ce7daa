package envoy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
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
}

// Process is one running Envoy. Its methods may be called from any goroutine.
type Process struct {
	cmd   *exec.Cmd
	dir   string
	admin string
	done  chan struct{} // closed when the process has ended and been waited for
	err   error         // of Wait; read after done
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
	p := &Process{dir: cfg.Dir, done: make(chan struct{})}
	if err := p.spawn(cfg); err != nil {
		return nil, err
	}
	if err := p.waitForAdmin(ctx); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return p, nil
}

func (p *Process) file(name string) string { return filepath.Join(p.dir, name) }

// spawn starts the process from a goroutine that stays on one thread until
// the process has ended: the kernel's parent-death signal goes by thread.
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
	p.cmd = exec.Command(cfg.Path,
		"-c", p.file("bootstrap.yaml"),
		"--admin-address-path", p.file("admin"),
		"--disable-hot-restart",
		"--concurrency", strconv.Itoa(max(1, cfg.Concurrency)),
		"--drain-time-s", "1",
		"--log-level", level)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = childAttributes()
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(p.done)
		defer log.Close()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
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
		case <-p.done:
			return fmt.Errorf("envoy ended before it was up (%w); its log ends with:\n%s", p.err, p.LogTail(20))
		case <-ctx.Done():
			return fmt.Errorf("envoy has no admin address yet: %w", context.Cause(ctx))
		}
	}
}

// Pid is the process's id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Done closes when the process has ended, whoever ended it.
func (p *Process) Done() <-chan struct{} { return p.done }

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
	select {
	case <-p.done:
		if p.err != nil && !stopped(p.err) {
			return fmt.Errorf("envoy ended by itself (%w); its log ends with:\n%s", p.err, p.LogTail(20))
		}
		return nil
	default:
	}
	// An error here means that it has just ended; done tells.
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(stopGrace):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
	return nil
}

// stopped reports whether err is what Stop's own signals lead to.
func stopped(err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && (status.Signal() == syscall.SIGTERM || status.Signal() == syscall.SIGKILL)
}
