package adopt_test

import (
	"strings"
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	"go.uber.org/goleak"

	"github.com/deltaplane/deltaplane/adopt"
	"github.com/deltaplane/deltaplane/resource"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hcm begins an HTTP connection manager in YAML's flow style.
const hcm = `"@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager, stat_prefix: x`

// listener is one with an HTTP connection manager of these fields.
func listener(name, fields string) string {
	return `{name: "` + name + `", address: {socket_address: {address: 127.0.0.1, port_value: 80}}, filter_chains: [{filters: [{name: hcm, typed_config: {` +
		hcm + `, ` + fields + `}}]}]}`
}

// routes are inline ones to a cluster.
func routes(name, cluster string) string {
	return `route_config: {name: "` + name + `", virtual_hosts: [{name: all, domains: ["*"], routes: [{match: {prefix: /}, route: {cluster: ` + cluster + `}}]}]}`
}

// endpoints are some at these addresses.
func endpoints(addresses ...string) string {
	var list []string
	for _, a := range addresses {
		list = append(list, `{endpoint: {address: {socket_address: {address: `+a+`, port_value: 80}}}}`)
	}
	return `load_assignment: {cluster_name: any, endpoints: [{lb_endpoints: [` + strings.Join(list, ", ") + `]}]}`
}

// config is for a control plane called deltaplane.
func config() adopt.Config {
	return adopt.Config{
		ControlPlane: &clusterv3.Cluster{Name: "deltaplane", LoadAssignment: &endpointv3.ClusterLoadAssignment{ClusterName: "deltaplane"}},
		ADS: &corev3.ApiConfigSource{ApiType: corev3.ApiConfigSource_DELTA_GRPC, GrpcServices: []*corev3.GrpcService{{
			TargetSpecifier: &corev3.GrpcService_EnvoyGrpc_{EnvoyGrpc: &corev3.GrpcService_EnvoyGrpc{ClusterName: "deltaplane"}},
		}}},
	}
}

func parse(t testing.TB, text string) *bootstrapv3.Bootstrap {
	t.Helper()
	var b bootstrapv3.Bootstrap
	if problems := (resource.Decoder{}).ReadMessage("envoy.yaml", []byte(text), &b); len(problems) > 0 {
		t.Fatal(problems)
	}
	return &b
}

// divide is what becomes of a bootstrap.
func divide(t testing.TB, cfg adopt.Config, text string) *adopt.Result {
	t.Helper()
	result, err := adopt.Bootstrap(parse(t, text), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := result.Bootstrap.ValidateAll(); err != nil {
		t.Error(err)
	}
	return result
}

// names are the resources as "Type name".
func names(r *adopt.Result) string {
	var all []string
	for _, one := range r.Resources {
		all = append(all, one.Type().Short()+" "+one.Name())
	}
	return strings.Join(all, ", ")
}

// static are the clusters, listeners and secrets that stay.
func static(r *adopt.Result) string {
	var all []string
	for _, c := range r.Bootstrap.StaticResources.Clusters {
		all = append(all, c.Name)
	}
	for _, l := range r.Bootstrap.StaticResources.Listeners {
		all = append(all, l.Name)
	}
	for _, s := range r.Bootstrap.StaticResources.Secrets {
		all = append(all, s.Name)
	}
	return strings.Join(all, ", ")
}

func notes(r *adopt.Result) string {
	var all []string
	for _, n := range r.Notes {
		all = append(all, n.Path+": "+n.Message)
	}
	return strings.Join(all, "\n")
}
