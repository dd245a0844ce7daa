package deltaplane

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// realEtcd is an etcd in a process of its own, with the limits that it has
// without configuration, behind a proxy that can cut the line.
type realEtcd struct {
	t      testing.TB
	client *clientv3.Client // around the proxy
	proxy  *proxy
	url    string
	dir    string
	port   string
	peer   string
	cmd    *exec.Cmd
	done   chan struct{}
}

// startEtcd starts one on ports of its own.
func startEtcd(t testing.TB) *realEtcd {
	t.Helper()
	e := &realEtcd{t: t, dir: t.TempDir(), port: freePort(t), peer: freePort(t)}
	e.url = "http://127.0.0.1:" + e.port
	e.start()
	t.Cleanup(e.stop)
	e.proxy = startProxy(t, "127.0.0.1:"+e.port)
	return e
}

func (e *realEtcd) start() {
	e.t.Helper()
	binary, err := exec.LookPath("etcd")
	if err != nil {
		e.t.Fatal("this test needs a real etcd on PATH: `make etcd`, or on Debian and Ubuntu: apt-get install etcd-server")
	}
	peer := "http://127.0.0.1:" + e.peer
	e.cmd = exec.Command(binary, "--data-dir", e.dir, "--name", "test", "--log-outputs", "stderr",
		"--listen-client-urls", e.url, "--advertise-client-urls", e.url,
		"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "test="+peer)
	stderr, err := e.cmd.StderrPipe()
	if err != nil {
		e.t.Fatal(err)
	}
	if err := e.cmd.Start(); err != nil {
		e.t.Fatal(err)
	}
	ready, done := make(chan bool, 1), make(chan struct{})
	e.done = done
	go func() {
		defer close(done)
		var last []string
		started := false
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			last = append(last, lines.Text())
			if !started && strings.Contains(lines.Text(), "ready to serve client requests") {
				started = true
				ready <- true
			}
		}
		if !started {
			e.t.Log(strings.Join(last[max(0, len(last)-10):], "\n"))
			ready <- false
		}
	}()
	if !<-ready {
		e.t.Fatal("etcd does not start")
	}
	e.client, err = clientv3.New(clientv3.Config{Endpoints: []string{e.url}, Logger: zap.NewNop()})
	if err != nil {
		e.t.Fatal(err)
	}
}

func (e *realEtcd) stop() {
	if err := errors.Join(e.client.Close(), e.cmd.Process.Kill()); err != nil {
		e.t.Error(err)
	}
	<-e.done
	var killed *exec.ExitError
	if err := e.cmd.Wait(); !errors.As(err, &killed) {
		e.t.Error(err)
	}
}

// endpoint is the way through the proxy.
func (e *realEtcd) endpoint() []string { return []string{"http://" + e.proxy.addr()} }

// compact drops all of etcd's own history.
func (e *realEtcd) compact() {
	e.t.Helper()
	got, err := e.client.Get(e.t.Context(), "none")
	if err == nil {
		_, err = e.client.Compact(e.t.Context(), got.Header.Revision, clientv3.WithCompactPhysical())
	}
	if err != nil {
		e.t.Fatal(err)
	}
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// proxy forwards connections until it is cut.
type proxy struct {
	listener net.Listener
	target   string
	running  sync.WaitGroup

	mu    sync.Mutex // guards what follows
	open  map[net.Conn]bool
	isCut bool
}

func startProxy(t testing.TB, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, target: target, open: map[net.Conn]bool{}}
	p.running.Go(p.accept)
	t.Cleanup(func() {
		l.Close()
		p.cut()
		p.running.Wait()
	})
	return p
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

// cut breaks all connections and lets no new one through.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.isCut = true
	for c := range p.open {
		c.Close()
	}
}

// mend lets connections through again.
func (p *proxy) mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.isCut = false
}

func (p *proxy) accept() {
	for {
		in, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.forward(in) })
	}
}

func (p *proxy) forward(in net.Conn) {
	defer in.Close()
	out, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer out.Close()
	p.mu.Lock()
	if p.isCut {
		p.mu.Unlock()
		return
	}
	p.open[in], p.open[out] = true, true
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.open, in)
		delete(p.open, out)
		p.mu.Unlock()
	}()
	var both sync.WaitGroup
	pipe := func(to, from net.Conn) {
		defer to.Close()
		_, _ = io.Copy(to, from) // ends with an error when the line is cut
	}
	both.Go(func() { pipe(out, in) })
	both.Go(func() { pipe(in, out) })
	both.Wait()
}

// eventually waits for a snapshot for which ok holds.
func eventually(t testing.TB, s *Store, ok func(*Snapshot) bool) *Snapshot {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for w := s.Watch(); ; {
		if now := s.Latest(); ok(now) {
			return now
		}
		if _, err := w.Next(ctx); err != nil {
			t.Fatalf("at version %d: %v", s.Latest().Version(), err)
		}
	}
}

func atVersion(v Version) func(*Snapshot) bool {
	return func(s *Snapshot) bool { return s.Version() >= v }
}

// replica opens a store on e.
func (e *realEtcd) replica(cfg Config) *Store {
	e.t.Helper()
	cfg.Endpoints = e.endpoint()
	return open(e.t, cfg)
}

func TestReplicasOnOneEtcdAgree(t *testing.T) {
	e := startEtcd(t)
	a, b := e.replica(Config{}), e.replica(Config{})
	for i := range 20 {
		commit(t, []*Store{a, b}[i%2], put(t, i, fmt.Sprint("c", i%7)))
	}
	sa, sb := eventually(t, a, atVersion(20)), eventually(t, b, atVersion(20))
	if sa.Tree().Hash() != sb.Tree().Hash() {
		t.Fatal("the trees differ")
	}
	if c := e.replica(Config{}).Latest(); c.Version() != 20 || c.Tree().Hash() != sa.Tree().Hash() {
		t.Fatalf("a third replica starts with version %d, %s", c.Version(), c.Tree().Hash())
	}
}
