package envoytest_test

import (
	"fmt"
	"testing"

	"go.uber.org/goleak"

	"github.com/deltaplane/deltaplane/internal/envoytest"
	"github.com/deltaplane/deltaplane/internal/traffic"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const static = `
admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}
static_resources:
  listeners:
  - name: web
    address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    filter_chains:
    - filters:
      - name: hcm
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: web
          http_filters: [{name: router, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}]
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - {match: {path: /absent}, direct_response: {status: 503}}
              - {match: {prefix: /}, route: {cluster: back}}
  clusters:
  - name: back
    connect_timeout: 1s
    load_assignment:
      cluster_name: back
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: %d}}}}]}]
`

func TestRequestsReachTheBackendThroughAnEnvoy(t *testing.T) {
	back := envoytest.Backend(t, "back")
	e := envoytest.StartYAML(t, fmt.Sprintf(static, back.Port()))
	e.WaitReady()
	address := e.WaitListener("web")

	client := envoytest.Client(t, address, nil)
	if _, err := client.Until(envoytest.Context(t), traffic.Request{Host: "example.test", Path: "/"}, "back"); err != nil {
		t.Fatal(err)
	}
	envoytest.Traffic(t, address, 500, func(uint64) traffic.Request { return traffic.Request{Host: "example.test", Path: "/"} })
	e.WaitStat("http.web.downstream_rq_2xx", func(n uint64) bool { return n > 100 })
	if n := back.Hits(); n < 100 {
		t.Errorf("the backend saw %d requests, Envoy at least 100", n)
	}
}

func TestAFailedRequestIsCountedWithItsReason(t *testing.T) {
	e := envoytest.StartYAML(t, fmt.Sprintf(static, 1))
	e.WaitReady()
	client := envoytest.Client(t, e.WaitListener("web"), nil)
	g := traffic.Start(t.Context(), traffic.Config{Client: client, Rate: 200, Next: func(uint64) traffic.Request {
		return traffic.Request{Host: "example.test", Path: "/absent"}
	}})
	e.WaitStat("http.web.downstream_rq_5xx", func(n uint64) bool { return n >= 10 })
	r := g.Stop()
	if r.Failures < 10 || r.Failures != r.Requests || r.Reasons["503 "] != r.Failures {
		t.Errorf("report is %+v, want only failures with status 503", r)
	}
}
