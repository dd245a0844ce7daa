package examples

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"testing"

	"github.com/deltaplane/deltaplane/internal/envoytest"
)

// journey is one request, made several times where chance chooses the upstream.
type journey struct {
	listener   string
	host, path string
	header     string // of x-canary
	tls, token bool
	tcp        bool // send a TLS hello for the host, and read
	times      int  // default 1
}

// record lists all the different outcomes: status, headers and upstream.
func (j journey) record(t *testing.T, e *envoytest.Envoy) []string {
	t.Helper()
	address := e.WaitListener(j.listener)
	outcomes := map[string]bool{}
	one := j.overHTTP(t, address)
	if j.tcp {
		one = func() (string, error) { return j.overTCP(t.Context(), address) }
	}
	for range max(1, j.times) {
		outcome, err := one()
		if err != nil {
			t.Fatalf("%+v: %v", j, err)
		}
		outcomes[outcome] = true
	}
	return slices.Sorted(maps.Keys(outcomes))
}

func (j journey) overHTTP(t *testing.T, address string) func() (string, error) {
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	scheme, host := "http", j.host
	if j.tls {
		transport.TLSClientConfig, scheme = exampleTLS(t), "https"
	}
	if host == "" {
		host = "example.test"
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, scheme+"://"+host+j.path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if j.token {
		req.Header = exampleToken(t)
	}
	if j.header != "" {
		req.Header.Set("x-canary", j.header)
	}
	return func() (string, error) {
		resp, err := transport.RoundTrip(req)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		for _, varies := range []string{"Date", "X-Envoy-Upstream-Service-Time"} {
			if resp.Header.Get(varies) != "" {
				resp.Header.Set(varies, "some")
			}
		}
		return fmt.Sprint(resp.StatusCode, resp.Header, string(body)), err
	}
}

// overTCP says hello as a TLS client does and returns what the upstream says
// in plain text.
func (j journey) overTCP(ctx context.Context, address string) (string, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	// The handshake fails, as nobody answers in TLS: only its first record counts.
	hello := &firstWrite{Conn: conn}
	_ = tls.Client(hello, &tls.Config{ServerName: j.host, InsecureSkipVerify: true}).HandshakeContext(ctx)
	if hello.err != nil {
		return "", hello.err
	}
	name, err := io.ReadAll(conn)
	return fmt.Sprintf("%q, refused: %t", name, err != nil), nil
}

// firstWrite lets the first write through and then ends the conversation for
// whoever uses it.
type firstWrite struct {
	net.Conn
	err error
}

func (w *firstWrite) Write(b []byte) (int, error) {
	n, err := w.Conn.Write(b)
	w.err = err
	return n, err
}

func (w *firstWrite) Read([]byte) (int, error) { return 0, io.EOF }
func (w *firstWrite) Close() error             { return nil }

// upstreams are backends, one for each address that an example has.
type upstreams struct {
	t     *testing.T
	tcp   bool
	ports map[string]int
}

func newUpstreams(t *testing.T, tcp bool) *upstreams {
	return &upstreams{t: t, tcp: tcp, ports: map[string]int{}}
}

func (u *upstreams) port(address string, port float64) int {
	name := fmt.Sprint(address, ":", port)
	if known, ok := u.ports[name]; ok {
		return known
	}
	if u.tcp {
		u.ports[name] = greeter(u.t, name)
	} else {
		u.ports[name] = envoytest.Backend(u.t, name).Port()
	}
	return u.ports[name]
}

// greeter accepts connections, waits for the client's first bytes, says its
// name and hangs up.
func greeter(t *testing.T, name string) (port int) {
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listen.Accept()
			if err != nil {
				return
			}
			if _, err := conn.Read(make([]byte, 64<<10)); err == nil {
				_, _ = io.WriteString(conn, name)
			}
			conn.Close()
		}
	}()
	t.Cleanup(func() {
		listen.Close()
		<-done
	})
	return listen.Addr().(*net.TCPAddr).Port
}
