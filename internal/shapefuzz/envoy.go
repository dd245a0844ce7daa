package shapefuzz

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane/internal/envoytest"
)

// mirrorName is the cluster, and its backend, that mirrors lead to.
const mirrorName = "mirror"

// movedName is the cluster, and its backend, that answers with redirects.
const movedName = "moved"

// served is an Envoy with the listeners of some cases.
type served struct {
	envoy  *envoytest.Envoy
	cases  []*Case
	dir    string // of the access logs
	mirror *backend
	ports  map[string]string // of listeners, once they are up
}

// serve starts an Envoy with the cases. It ends with the test.
func serve(t testing.TB, cases []*Case) *served {
	t.Helper()
	s := &served{cases: cases, dir: t.TempDir(), ports: map[string]string{}}
	clusters := s.backends(t)
	response := &discoveryv3.DiscoveryResponse{VersionInfo: "1", TypeUrl: "type.googleapis.com/envoy.config.listener.v3.Listener"}
	for n, c := range cases {
		for _, v := range c.variants() {
			l, err := c.listener(n, v, s.dir)
			if err != nil {
				t.Fatal(err)
			}
			response.Resources = append(response.Resources, packed(l))
		}
	}
	b, err := proto.Marshal(response)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(s.dir, "listeners.pb")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	s.envoy = envoytest.StartYAML(t, fmt.Sprintf(bootstrapText, keyOfAll, keyOfNone, file, clusters))
	s.envoy.WaitReady()
	if refused := s.envoy.Stat("listener_manager.lds.update_rejected"); refused > 0 {
		t.Fatalf("Envoy refuses the listeners of seeds %d to %d; its log ends with:\n%s", cases[0].Seed, cases[len(cases)-1].Seed, s.envoy.LogTail(5))
	}
	return s
}

// backends starts what clusters lead to, and returns these in YAML.
func (s *served) backends(t testing.TB) string {
	t.Helper()
	start := func(name, status string) *backend {
		b, err := newBackend(name, status)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.close)
		return b
	}
	up, other, down := start("up", "200 OK"), start("other", "200 OK"), start("down", "503 Service Unavailable")
	moved := start(movedName, "302 Found")
	s.mirror = start(mirrorName, "200 OK")
	var text strings.Builder
	add := func(name string, b *backend) { fmt.Fprintf(&text, clusterText, name, name, b.port()) }
	for _, name := range clusters {
		if name == "fail" {
			add(name, down)
		} else {
			add(name, up)
		}
	}
	add(mirrorName, s.mirror)
	add(movedName, moved)
	fmt.Fprintf(&text, ringText, ring, ring, up.port(), other.port())
	return text.String()
}

const bootstrapText = `
node: {id: shapefuzz, cluster: shapefuzz}
admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}
layered_runtime: {layers: [{name: fuzz, static_layer: {%s: 100, %s: 0}}]}
dynamic_resources: {lds_config: {path_config_source: {path: %s}, resource_api_version: V3}}
static_resources:
  clusters:
%s`

const clusterText = `
  - name: %s
    connect_timeout: 5s
    load_assignment: {cluster_name: %s, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: %d}}}}]}]}
    circuit_breakers: {thresholds: [{max_retries: 1000}]}
`

const ringText = `
  - name: %s
    connect_timeout: 5s
    lb_policy: RING_HASH
    load_assignment: {cluster_name: %s, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: %d}}}}, {endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: %d}}}}]}]}
    circuit_breakers: {thresholds: [{max_retries: 1000}]}
`
