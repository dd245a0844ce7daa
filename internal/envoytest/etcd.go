package envoytest

import (
	"bufio"
	"net"
	"os/exec"
	"strings"
	"testing"
)

// Etcd runs an etcd of its own until the test ends, for several replicas to
// share, and returns its URL.
func Etcd(t testing.TB) string {
	t.Helper()
	binary, err := exec.LookPath("etcd")
	if err != nil {
		t.Fatal("this test needs a real etcd on PATH: `make etcd`, or on Debian and Ubuntu: apt-get install etcd-server")
	}
	clients, peers := freeURL(t), freeURL(t)
	cmd := exec.Command(binary, "--data-dir", t.TempDir(), "--name", "test", "--log-outputs", "stderr",
		"--listen-client-urls", clients, "--advertise-client-urls", clients,
		"--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", "test="+peers)
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	ready, done := make(chan bool, 1), make(chan struct{})
	go func() {
		defer close(done)
		defer close(ready)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			if strings.Contains(lines.Text(), "ready to serve client requests") {
				select {
				case ready <- true:
				default: // said before
				}
			}
		}
	}()
	t.Cleanup(func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		<-done
		_ = cmd.Wait() // that it was killed
	})
	if !<-ready {
		t.Fatal("etcd does not start")
	}
	return clients
}

// freeURL is an address that nobody listens on.
func freeURL(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}
