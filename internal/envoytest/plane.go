package envoytest

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Plane is the real binary running `deltaplane serve`, on a data directory and
// addresses that survive a Kill.
type Plane struct {
	XDS string   // host:port
	API string   // URL
	Env []string // more of the environment, from the next Start on: DELTAPLANE_FAULT=…

	t      testing.TB
	dir    string
	binary string
	args   []string
	client *http.Client

	cmd  *exec.Cmd
	done chan struct{} // closed when the process has been waited for
	err  error         // of Wait; read after done
}

// StartPlane runs a control plane on free ports, with more arguments for serve.
// Its log is printed when the test fails.
func StartPlane(t testing.TB, args ...string) *Plane {
	t.Helper()
	p := &Plane{t: t, dir: t.TempDir(), binary: Binary(t), args: args, XDS: "127.0.0.1:0", API: "http://127.0.0.1:0"}
	// Without keep-alive: a killed server must not leave half-open connections.
	// With TLS, the test knows whom it has started: it need not verify.
	p.client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the control plane's log ends with:\n%s", p.logTail())
		}
	})
	t.Cleanup(p.stop)
	p.Start()
	return p
}

// Start runs the binary, again after a Kill on the same addresses, and returns
// when it serves.
func (p *Plane) Start() {
	p.t.Helper()
	if !p.Launch() {
		p.t.Fatalf("deltaplane serve ended: %v\n%s", p.err, p.logTail())
	}
}

// Launch is Start, but reports false when the process ends before it serves, as
// at a fault point on the way.
func (p *Plane) Launch() bool {
	p.t.Helper()
	log, err := os.OpenFile(p.logFile(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	defer log.Close()
	out, in, err := os.Pipe()
	if err != nil {
		p.t.Fatal(err)
	}
	_, api, _ := strings.Cut(p.API, "://")
	p.cmd = exec.Command(p.binary, append([]string{"serve", "--log-format", "json", "--drain-timeout", "2s",
		"--data-dir", p.DataDir(), "--xds-address", p.XDS, "--api-address", api}, p.args...)...)
	p.cmd.Env = append(os.Environ(), p.Env...)
	p.cmd.Stderr = in
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	in.Close()
	serving := make(chan map[string]any, 1)
	p.done = make(chan struct{})
	go func() {
		defer close(p.done)
		follow(out, p.logFile(), serving)
		p.err = p.cmd.Wait()
	}()
	select {
	case line := <-serving:
		p.XDS, p.API = fmt.Sprint(line["xds"]), fmt.Sprint(line["api"])
		return true
	case <-p.done:
		return false
	case <-time.After(Patience):
		p.t.Fatalf("deltaplane serve does not serve yet:\n%s", p.logTail())
		return false
	}
}

// follow copies a JSON log into a file and hands out the line that says where
// the server listens. It returns when the writer is gone.
func follow(out io.ReadCloser, file string, serving chan<- map[string]any) {
	defer out.Close()
	log, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	defer log.Close()
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadBytes('\n')
		_, _ = log.Write(line) // for reading after a failure: no reason for one
		var entry map[string]any
		if json.Unmarshal(line, &entry) == nil && entry["msg"] == "serving" {
			serving <- entry
		}
		if err != nil {
			return
		}
	}
}

func (p *Plane) logFile() string { return filepath.Join(p.dir, "serve.log") }

func (p *Plane) logTail() string {
	data, _ := os.ReadFile(p.logFile())
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}

// Kill ends the control plane as a crash would: SIGKILL, nothing is drained.
func (p *Plane) Kill() {
	p.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
	<-p.done
	p.cmd = nil
}

// WaitLog waits until the control plane has logged a text.
func (p *Plane) WaitLog(text string) {
	p.t.Helper()
	Eventually(p.t, text+" in the log", func(context.Context) error {
		if !strings.Contains(p.logTail(), text) {
			return errors.New("it is not there")
		}
		return nil
	})
}

// Ended closes when the process has ended, whoever ended it.
func (p *Plane) Ended() <-chan struct{} { return p.done }

// WaitKilled waits until the process has ended by a SIGKILL that it was not
// Kill that sent, as a fault point's. Start may follow.
func (p *Plane) WaitKilled() {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(Patience):
		p.t.Fatalf("deltaplane serve still runs")
	}
	var exit *exec.ExitError
	if !errors.As(p.err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		p.t.Fatalf("deltaplane serve ended with %v", p.err)
	}
	p.cmd = nil
}

// DataDir is the plane's data directory.
func (p *Plane) DataDir() string { return filepath.Join(p.dir, "data") }

// Stop ends the control plane in order. Start may follow.
func (p *Plane) Stop() {
	p.t.Helper()
	p.stop()
	p.cmd = nil
}

// stop asks the control plane to end; it must do so by itself, in order.
func (p *Plane) stop() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // an error means that it has ended: done tells
	select {
	case <-p.done:
		if p.err != nil {
			p.t.Errorf("deltaplane serve: %v", p.err)
		}
	case <-time.After(Patience):
		p.t.Errorf("deltaplane serve did not end on SIGTERM")
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}
