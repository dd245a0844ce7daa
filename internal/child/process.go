// Package child runs programs that must not outlive this one: the Envoys and
// control planes of the demo, the bench and the tests.
package child

import (
	"errors"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// Process is a program that this one has started. Its methods may be called
// from any goroutine.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended and been waited for
	err  error         // of Wait; read after done
}

// Start runs cmd, of whose attributes it takes care. The caller must call
// Stop. The terminal's Ctrl-C does not reach the child; on Linux the kernel
// ends it when this process dies without having done so. ended, if not nil, is
// called when the child has been waited for.
func Start(cmd *exec.Cmd, ended func()) (*Process, error) {
	cmd.SysProcAttr = attributes()
	p := &Process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		// The kernel's parent-death signal goes by thread: this one stays
		// until the child has ended.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(p.done)
		if ended != nil {
			defer ended()
		}
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		<-p.done
		return nil, err
	}
	return p, nil
}

// Pid is the child's id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Done closes when the child has ended, whoever ended it.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err is what the child ended with. Call it after Done has closed.
func (p *Process) Err() error { return p.err }

// Stop asks the child to end, kills it after grace, and waits for it. It is an
// error when the child had failed by itself before. A second Stop does nothing.
func (p *Process) Stop(grace time.Duration) error {
	select {
	case <-p.done:
		if p.err != nil && !stopped(p.err) {
			return p.err
		}
		return nil
	default:
	}
	// An error here means that it has just ended; done tells.
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
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
