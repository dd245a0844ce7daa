package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/deltaplane/deltaplane"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a Server on a real store, and proxies that the test makes up.
type world struct {
	*Server
	t       *testing.T
	store   *deltaplane.Store
	proxies *proxies
}

func newWorld(t *testing.T, change ...func(*Config)) *world {
	t.Helper()
	store, err := deltaplane.Open(t.Context(), deltaplane.Config{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	p := &proxies{changed: make(chan struct{})}
	cfg := Config{Store: store, Proxies: p, Waiter: p}
	for _, c := range change {
		c(&cfg)
	}
	return &world{New(cfg), t, store, p}
}

// request makes a request as curl would: to localhost, with curl's content type.
func request(method, target, body string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = "127.0.0.1:18001"
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

func (w *world) do(r *http.Request) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	w.ServeHTTP(recorder, r)
	return recorder
}

// ask sends a request and wants a status; v takes the answer unless it is nil.
func (w *world) ask(status int, method, target, body string, v any) *httptest.ResponseRecorder {
	w.t.Helper()
	answer := w.do(request(method, target, body))
	if answer.Code != status {
		w.t.Fatalf("%s %s answers %d, want %d: %.2000s", method, target, answer.Code, status, answer.Body)
	}
	if v != nil {
		decoder := json.NewDecoder(bytes.NewReader(answer.Body.Bytes()))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(v); err != nil {
			w.t.Fatalf("%s %s: %v in %s", method, target, err, answer.Body)
		}
	}
	return answer
}

// apply stores a body and returns the plan.
func (w *world) applied(query, body string) Plan {
	w.t.Helper()
	var plan Plan
	w.ask(200, "POST", "/v1/apply"+query, body, &plan)
	return plan
}

// proxies is a Proxies and a Waiter that says what the test wants.
type proxies struct {
	mu      sync.Mutex
	all     []Proxy
	changed chan struct{}
	missing []Proxy
	waiting chan struct{} // closes when Wait is called, if set
	err     error
}

func (p *proxies) set(all ...Proxy) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = all
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *proxies) Proxies() []Proxy {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.all
}

func (p *proxies) Proxy(node string) (Proxy, bool) {
	for _, one := range p.Proxies() {
		if one.Node == node {
			return one, true
		}
	}
	return Proxy{}, false
}

func (p *proxies) Changed() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.changed
}

func (p *proxies) Wait(ctx context.Context, _ deltaplane.Version) ([]Proxy, error) {
	if p.waiting != nil {
		close(p.waiting)
		<-ctx.Done()
		return p.missing, context.Cause(ctx)
	}
	return p.missing, p.err
}

const webCluster = `"@type": type.googleapis.com/envoy.config.cluster.v3.Cluster
name: web
connect_timeout: 1s
`

const edgeRoute = `"@type": type.googleapis.com/envoy.config.route.v3.RouteConfiguration
name: edge
virtual_hosts:
- name: shop
  domains: [shop.example]
  routes:
  - {name: cart, match: {prefix: /cart}, route: {cluster: web}}
  - {name: all, match: {prefix: /}, route: {cluster: web}}
- name: blog
  domains: [blog.example]
  routes:
  - {match: {prefix: /}, route: {cluster: web}}
`

// key is what must never be seen again.
const key = "c2VjcmV0LXByaXZhdGUta2V5"

const secretDocument = `"@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret
name: tls
tls_certificate:
  certificate_chain: {inline_string: a-certificate}
  private_key: {inline_string: ` + key + `}
`
