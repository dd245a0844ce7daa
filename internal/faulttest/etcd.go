package faulttest

import (
	"bufio"
	"errors"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// Etcd is an etcd in a process of its own, on a data directory and addresses
// that survive a Kill.
type Etcd struct {
	URL    string           // around Line
	Line   *Proxy           // on the way of who uses Endpoint
	Client *clientv3.Client // around Line

	t    testing.TB
	args []string
	cmd  *exec.Cmd
	done chan struct{}
}

// StartEtcd runs one in dir, by default a directory of the test's own, with
// more arguments for etcd.
func StartEtcd(t testing.TB, dir string, args ...string) *Etcd {
	t.Helper()
	if dir == "" {
		dir = t.TempDir()
	}
	clients, peers := freeAddress(t), "http://"+freeAddress(t)
	e := &Etcd{t: t, URL: "http://" + clients, args: append([]string{"--data-dir", dir, "--name", "test", "--log-outputs", "stderr",
		"--listen-client-urls", "http://" + clients, "--advertise-client-urls", "http://" + clients,
		"--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", "test=" + peers}, args...)}
	e.Start()
	t.Cleanup(e.stop)
	e.Line = NewProxy(t, clients)
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{e.URL}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	e.Client = client
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// Endpoint is the URL that leads through Line.
func (e *Etcd) Endpoint() string { return "http://" + e.Line.Addr() }

// Start runs it, again after a Kill, and returns when it serves.
func (e *Etcd) Start() {
	e.t.Helper()
	binary, err := exec.LookPath("etcd")
	if err != nil {
		e.t.Fatal("this test needs a real etcd on PATH: `make etcd`, or on Debian and Ubuntu: apt-get install etcd-server")
	}
	cmd := exec.Command(binary, e.args...)
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		e.t.Fatal(err)
	}
	e.cmd, e.done = cmd, make(chan struct{})
	ready := make(chan string, 1)
	go func() {
		defer close(e.done)
		var last []string
		started := false
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			last = append(last[max(0, len(last)-10):], lines.Text())
			if !started && strings.Contains(lines.Text(), "ready to serve client requests") {
				started = true
				ready <- ""
			}
		}
		if !started {
			ready <- strings.Join(last, "\n")
		}
	}()
	if problem := <-ready; problem != "" {
		e.t.Fatalf("etcd does not start:\n%s", problem)
	}
}

// Kill ends it as a crash would.
func (e *Etcd) Kill() {
	e.t.Helper()
	if err := e.cmd.Process.Kill(); err != nil {
		e.t.Fatal(err)
	}
	<-e.done
	var killed *exec.ExitError
	if err := e.cmd.Wait(); !errors.As(err, &killed) {
		e.t.Errorf("etcd that was killed: %v", err)
	}
	e.cmd = nil
}

// Restart starts it again, whether it still runs or has ended by itself.
func (e *Etcd) Restart() {
	e.t.Helper()
	e.stop()
	e.Start()
}

// Pause stops the process where it is; connections stay open.
func (e *Etcd) Pause() {
	e.t.Helper()
	Pause(e.t, e.cmd.Process)
}

// Resume lets it go on.
func (e *Etcd) Resume() {
	e.t.Helper()
	if err := e.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		e.t.Fatal(err)
	}
}

// Pause stops a child of this process, and returns when all of its threads
// have stopped: on a busy machine some of them go on for a while after the
// signal.
func Pause(t testing.TB, child *os.Process) {
	t.Helper()
	if err := child.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	var status syscall.WaitStatus
	_, err := syscall.Wait4(child.Pid, &status, syscall.WUNTRACED, nil)
	for errors.Is(err, syscall.EINTR) {
		_, err = syscall.Wait4(child.Pid, &status, syscall.WUNTRACED, nil)
	}
	if err != nil || !status.Stopped() {
		t.Fatalf("a child that was to stop has the status %#x, %v", status, err)
	}
}

// Compact drops all of etcd's own history.
func (e *Etcd) Compact() {
	e.t.Helper()
	got, err := e.Client.Get(e.t.Context(), "none")
	if err == nil {
		_, err = e.Client.Compact(e.t.Context(), got.Header.Revision, clientv3.WithCompactPhysical())
	}
	if err != nil && !errors.Is(err, rpctypes.ErrCompacted) { // nothing has been written since
		e.t.Fatal(err)
	}
}

func (e *Etcd) stop() {
	if e.cmd == nil {
		return
	}
	_ = e.cmd.Process.Kill() // an error means that it has ended: done tells
	<-e.done
	_ = e.cmd.Wait() // that it was killed
}

// freeAddress is host:port where nobody listens.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
