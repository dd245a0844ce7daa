package traffic_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane/bench/probe"
	"github.com/deltaplane/deltaplane/bench/traffic"
)

var (
	labels = probe.Labels{ID: "run-1", SLA: "50ms"}
	target = probe.Target{Host: "h.test", Path: "/route-7/"}
)

func backend(t *testing.T, identity *traffic.Identity) *traffic.Backend {
	t.Helper()
	b, err := traffic.NewBackend("blue", identity)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func client(t *testing.T, address string, cfg traffic.Config) *traffic.Client {
	t.Helper()
	cfg.Labels = labels
	c := traffic.NewClient(address, cfg)
	t.Cleanup(c.Close)
	return c
}

func TestABackendSaysWhoItIsAndWhichConfigurationSentTheRequest(t *testing.T) {
	b := backend(t, nil)
	for _, p := range []traffic.Protocol{traffic.HTTP, traffic.GRPC} {
		c := client(t, fmt.Sprintf("127.0.0.1:%d", b.Port()), traffic.Config{Protocol: p, Body: []byte("four"), Header: http.Header{traffic.Version: {"12"}}})
		for n := range 2 {
			a, err := c.Do(t.Context(), n, target)
			if err != nil || a.Status != http.StatusOK || a.Body != "blue" || a.Version != 12 || !a.Whole || a.Labelled {
				t.Errorf("%s: answer %+v, error %v", p, a, err)
			}
		}
	}
}

// seen keeps what a server was asked, and answers as the filter of a proxy
// would.
type seen struct {
	mu       sync.Mutex
	requests []*http.Request
}

func (s *seen) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r)
	for _, name := range []string{traffic.RequestID, traffic.SLATarget, traffic.BenchmarkID} {
		w.Header().Set(name, r.Header.Get(name))
	}
}

func TestEveryRequestIsLabelledAndBeginsATrace(t *testing.T) {
	var s seen
	server := httptest.NewServer(&s)
	defer server.Close()
	c := client(t, strings.TrimPrefix(server.URL, "http://"), traffic.Config{Method: http.MethodPut, Header: http.Header{"x-own": {"1", "2"}}})
	for n := range 3 {
		if a, err := c.Do(t.Context(), n, target); err != nil || !a.Labelled || a.Received.Before(a.Sent) {
			t.Fatalf("answer %+v, error %v", a, err)
		}
	}
	traces, parent := map[string]bool{}, regexp.MustCompile(`^00-([0-9a-f]{32})-[0-9a-f]{16}-01$`)
	for n, r := range s.requests {
		if r.Method != http.MethodPut || r.Host != target.Host || r.URL.Path != target.Path || len(r.Header.Values("X-Own")) != 2 {
			t.Errorf("request %s %s%s with %v", r.Method, r.Host, r.URL.Path, r.Header)
		}
		if got, want := r.Header.Get("X-Request-Id"), fmt.Sprintf("run-1-%d", n); got != want || r.Header.Get("X-Sla-Target") != "50ms" || r.Header.Get("X-Benchmark-Id") != "run-1" {
			t.Errorf("request %s, want %s; headers %v", got, want, r.Header)
		}
		match := parent.FindStringSubmatch(r.Header.Get("Traceparent"))
		if match == nil || traces[match[1]] || strings.Trim(match[1], "0") == "" {
			t.Fatalf("traceparent %q is no new trace", r.Header.Get("Traceparent"))
		}
		traces[match[1]] = true
	}
}

func TestACallThatFailsIsAnErrorWithItsStatus(t *testing.T) {
	for _, c := range []struct {
		want   string
		answer http.HandlerFunc
	}{
		{"grpc-status 14: no upstream", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Grpc-Status", "14")
			w.Header().Set("Grpc-Message", "no upstream")
		}},
		{"without grpc-status", func(http.ResponseWriter, *http.Request) {}},
		{"not one uncompressed message", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Grpc-Status", "0")
			fmt.Fprint(w, "text")
		}},
	} {
		server := httptest.NewUnstartedServer(c.answer)
		server.Config.Protocols = new(http.Protocols)
		server.Config.Protocols.SetUnencryptedHTTP2(true)
		server.Start()
		a, err := client(t, strings.TrimPrefix(server.URL, "http://"), traffic.Config{Protocol: traffic.GRPC}).Do(t.Context(), 0, target)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("answer %+v, error %v, want one with %q", a, err, c.want)
		}
		server.CloseClientConnections()
		server.Close()
	}
}

func TestABackendWithTLSIsWhomItsCertificateNames(t *testing.T) {
	identity, err := traffic.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", backend(t, identity).Port())
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM([]byte(identity.Certificate())) {
		t.Fatal("the certificate is no PEM")
	}
	for name, good := range map[string]bool{traffic.ServerName: true, "other.test": false} {
		conn, err := tls.Dial("tcp", address, &tls.Config{RootCAs: trusted, ServerName: name, NextProtos: []string{"h2"}})
		if (err == nil) != good {
			t.Errorf("as %s: %v", name, err)
		}
		if err == nil {
			if got := conn.ConnectionState().NegotiatedProtocol; got != "h2" {
				t.Errorf("it speaks %q, want h2", got)
			}
			conn.Close()
		}
	}
}

// counted is a source of so many requests.
type counted struct {
	mu   sync.Mutex
	left int
	due  map[int]time.Time
	late int // answers that came before they were due
}

func (c *counted) Next(int) (int, probe.Target, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left--
	return c.left, target, c.left >= 0
}

func (c *counted) Done(_, n int, due time.Time, a traffic.Answer, _ error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.due[n] = due
	if a.Received.Before(due) {
		c.late++
	}
}

func TestALoadMakesAllRequestsAndWithARateTheyAreDueEvenly(t *testing.T) {
	address := fmt.Sprintf("127.0.0.1:%d", backend(t, nil).Port())
	for _, rate := range []float64{0, 2000} {
		clients := []*traffic.Client{client(t, address, traffic.Config{}), client(t, address, traffic.Config{})}
		c := counted{left: 30, due: map[int]time.Time{}}
		traffic.Run(t.Context(), clients, rate, &c)
		if len(c.due) != 30 || c.late > 0 {
			t.Fatalf("rate %v: %d of 30 requests were made, %d before they were due", rate, len(c.due), c.late)
		}
		if rate == 0 {
			continue
		}
		const spacing = time.Second / 2000
		var dues []time.Time
		for _, at := range c.due {
			dues = append(dues, at)
		}
		slices.SortFunc(dues, time.Time.Compare)
		// The client that finds no request left has taken a turn, too.
		if got, most := dues[29].Sub(dues[0]), 30*spacing; got > most {
			t.Errorf("30 requests are due within %v, want at most %v, whatever held them up", got, most)
		}
		for i, at := range dues[1:] {
			if got := at.Sub(dues[i]); got <= 0 || got%spacing != 0 {
				t.Errorf("request %d is due %v after the one before, want turns of %v", i+1, got, spacing)
			}
		}
	}
}
