package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// serving is `deltaplane serve` in this process, as its user sees it.
type serving struct {
	xds, api  string
	lines     <-chan string // of the log, after the one that says where
	interrupt context.CancelFunc
	code      chan int
}

// log is a writer whose lines can be waited for.
type log struct {
	lines chan string
	mu    sync.Mutex
	rest  []byte
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, b...)
	for {
		line, rest, ok := bytes.Cut(l.rest, []byte("\n"))
		if !ok {
			return len(b), nil
		}
		l.lines <- string(line)
		l.rest = rest
	}
}

// address waits for the line that says where the control plane listens.
func address(t *testing.T, lines <-chan string) (xds, api string) {
	t.Helper()
	for line := range lines {
		var record struct{ Msg, XDS, API string }
		if json.Unmarshal([]byte(line), &record) == nil && record.Msg == "serving" {
			return record.XDS, record.API
		}
		t.Log(line)
	}
	t.Fatal("the control plane ended before it served")
	return "", ""
}

func serveInProcess(t *testing.T, args ...string) *serving {
	t.Helper()
	ctx, interrupt := context.WithCancel(t.Context())
	s := &serving{interrupt: interrupt, code: make(chan int, 1)}
	l := &log{lines: make(chan string, 1000)}
	term := &terminal{in: strings.NewReader(""), out: io.Discard, err: l}
	all := append([]string{"serve", "--xds-address=127.0.0.1:0", "--api-address=127.0.0.1:0", "--log-format=json", "--data-dir=" + t.TempDir()}, args...)
	go func() {
		s.code <- term.run(ctx, all)
		close(l.lines)
	}()
	s.xds, s.api = address(t, l.lines)
	s.lines = l.lines
	t.Cleanup(interrupt)
	return s
}

// get fetches a page, without keeping the connection.
func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(b)
}

func TestServeAnswersOnAllItsPagesAndLeavesNothingBehind(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	s := serveInProcess(t)
	for page, want := range map[string]string{
		"/healthz": `"ok"`, "/readyz": `"connected":true`, "/v1/versions": `"versions"`, "/v1/openapi.yaml": "openapi: 3.1.0",
		"/debug/pprof/": "goroutine", "/debug/pprof/goroutine?debug=1": "goroutine profile", "/metrics": "deltaplane_build_info",
	} {
		if status, body := get(t, s.api+page); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s answers %d, and %q is not in %.300s", page, status, want, body)
		}
	}
	_, metrics := get(t, s.api+"/metrics")
	for _, name := range []string{"go_goroutines", "process_open_fds", `deltaplane_api_request_seconds_count{code="200",route="GET /v1/versions"} 1`, `deltaplane_proxies{state="in_sync"} 0`} {
		if !strings.Contains(metrics, name) {
			t.Errorf("metric %s is missing", name)
		}
	}
	s.interrupt()
	if code := <-s.code; code != exitFine {
		t.Errorf("exit code %d, want 0", code)
	}
	for _, address := range []string{s.xds, strings.TrimPrefix(s.api, "http://")} {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			t.Errorf("%s still answers", address)
		}
	}
	left, err := os.ReadDir(temporary)
	if err != nil || len(left) > 0 {
		t.Errorf("temporary files are left: %v %v", left, err)
	}
}

func TestAnInterruptEndsStreamsWatchesAndWaits(t *testing.T) {
	// Were anything to hold the end up, the test would time out.
	s := serveInProcess(t, "--drain-timeout=1h")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p, err := dialProxy(ctx, s.xds, "edge-1", true)
	if err != nil {
		t.Fatal(err)
	}
	defer p.wait()
	client := &client{server: s.api}
	watch, err := client.send(t.Context(), request{method: "GET", path: []string{"status"}, query: map[string]string{"watch": "true", "timeout": "1h"}})
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Body.Close()
	if _, err := bufio.NewReader(watch.Body).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	s.interrupt()
	if code := <-s.code; code != exitFine {
		t.Errorf("exit code %d, want 0", code)
	}
	if _, err := io.Copy(io.Discard, watch.Body); err != nil {
		t.Errorf("the watch ends with %v, want a clean end", err)
	}
}

func TestASecondInterruptEndsTheProcessAtOnce(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Cmd{Path: self, Args: []string{"deltaplane", "serve", "--xds-address=127.0.0.1:0", "--api-address=127.0.0.1:0",
		"--log-format=json", "--drain-timeout=1h", "--data-dir=" + t.TempDir()}, SysProcAttr: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 1000)
	var reading sync.WaitGroup
	reading.Go(func() {
		for scanner := bufio.NewScanner(stderr); scanner.Scan(); {
			lines <- scanner.Text()
		}
		close(lines)
	})
	_, api := address(t, lines)

	// A request that never ends holds the first interrupt up.
	conn, err := net.Dial("tcp", strings.TrimPrefix(api, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "POST /v1/apply HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(conn).ReadString('\n'); err != nil { // it reads the body
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	for line := range lines {
		if strings.Contains(line, "draining") {
			break
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	reading.Wait()
	_ = cmd.Wait() // the exit code says it too
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
		t.Errorf("it ended with %v, want %d", cmd.ProcessState, exitInterrupted)
	}
}

func TestASecondServerOnTheSameDataIsRefused(t *testing.T) {
	dir := t.TempDir()
	start(t, "--data-dir="+dir)
	var out bytes.Buffer
	term := &terminal{in: strings.NewReader(""), out: io.Discard, err: &out}
	code := term.run(t.Context(), []string{"serve", "--xds-address=127.0.0.1:0", "--api-address=127.0.0.1:0", "--data-dir=" + dir})
	if code != exitDiffer || !strings.Contains(out.String(), dir) {
		t.Errorf("exit code %d and %q, want 1 and the directory named", code, out.String())
	}
}
