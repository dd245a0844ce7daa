package api

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane"
)

// patient is a Waiter that waits until it must not any more.
type patient struct{ began, ended chan struct{} }

func newPatient() *patient { return &patient{make(chan struct{}, 1), make(chan struct{}, 1)} }

func (p *patient) Wait(ctx context.Context, _ deltaplane.Version) ([]Proxy, error) {
	p.began <- struct{}{}
	<-ctx.Done()
	p.ended <- struct{}{}
	return nil, context.Cause(ctx)
}

// dial sends a request as it is, and does not wait for the answer.
func dial(t *testing.T, s *httptest.Server, method, target, contentType, body string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_, err = fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", method, target, contentType, len(body), body)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// within fails the test if nothing comes for so long that nothing ever will.
func within(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(30 * time.Second):
		t.Fatalf("%s: not within 30 s", what)
	}
}

const twoFiles = "--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.yaml\"\r\n\r\n" + webCluster + "\r\n--x--\r\n"

// Whoever goes away in the middle of a wait ends it, whatever the request was
// and whatever of its body nobody has read.
func TestAWaitEndsWhenTheClientGoes(t *testing.T) {
	const form = "multipart/form-data; boundary=x"
	longer := strings.Replace(webCluster, "1s", "2s", 1)
	for name, c := range map[string]struct{ method, target, contentType, body string }{
		"apply":                       {"POST", "/v1/apply?wait=1h", "application/yaml", longer},
		"apply of a form":             {"POST", "/v1/apply?wait=1h", form, strings.Replace(twoFiles, "1s", "2s", 1)},
		"apply of a form with a tail": {"POST", "/v1/apply?wait=1h", form, strings.Replace(twoFiles, "1s", "2s", 1) + strings.Repeat("tail\r\n", 10_000)},
		"delete":                      {"DELETE", "/v1/resources/cluster/web?wait=1h", "", ""},
		"revert":                      {"POST", "/v1/versions/1/revert?wait=1h", "", ""},
		"revert with a body":          {"POST", "/v1/versions/1/revert?wait=1h", "text/plain", "nobody reads this"},
	} {
		t.Run(name, func(t *testing.T) {
			waiter := newPatient()
			w := newWorld(t, func(c *Config) { c.Waiter = waiter })
			w.applied("", webCluster)
			server := httptest.NewServer(w)
			t.Cleanup(server.Close)
			conn := dial(t, server, c.method, c.target, c.contentType, c.body)
			answered := make(chan struct{}, 1)
			go func() {
				answer, err := io.ReadAll(io.LimitReader(conn, 300))
				if err == nil {
					t.Logf("the answer is %s", answer)
				}
				answered <- struct{}{}
			}()
			select {
			case <-waiter.began:
			case <-answered:
				t.Fatal("an answer without a wait")
			}
			conn.Close()
			within(t, "the end of the wait", waiter.ended)
			<-answered
		})
	}
}

func TestAWaitEndsAtItsDeadline(t *testing.T) {
	waiter := newPatient()
	w := newWorld(t, func(c *Config) { c.Waiter = waiter })
	var failure Failure
	w.ask(504, "POST", "/v1/apply?wait=50ms", webCluster, &failure)
	<-waiter.began
	<-waiter.ended
	if failure.Acks == nil || failure.Acks.Reason != "not all within 50ms" {
		t.Errorf("failure %+v, want the reason", failure)
	}
}

// A watcher who reads nothing holds a handler no longer than a request may take.
func TestAWatchEndsWhenItsClientReadsNothing(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Timeout = 300 * time.Millisecond })
	proxies := make([]Proxy, 1000)
	for i := range proxies {
		proxies[i] = Proxy{Node: fmt.Sprint(strings.Repeat("n", 1000), i)}
	}
	w.proxies.set(proxies...)
	done := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.ServeHTTP(rw, r)
		done <- struct{}{}
	}))
	t.Cleanup(server.Close)
	conn := dial(t, server, "GET", "/v1/status?watch=true&timeout=1h", "", "")
	if err := conn.(*net.TCPConn).SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	defer close(stop)
	go func() { // news all the time
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				w.proxies.set(proxies...)
			case <-stop:
				return
			}
		}
	}()
	within(t, "the end of the watch", done)
}
