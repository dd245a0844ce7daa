package adopt_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane/adopt"
	"github.com/deltaplane/deltaplane/resource"
)

// keeping is config with parts that are to stay.
func keeping(routes, endpoints bool) adopt.Config {
	cfg := config()
	cfg.KeepRoutes, cfg.KeepEndpoints = routes, endpoints
	return cfg
}

// scopes are an inline list of one.
func scopes(cluster string) string {
	return `scoped_routes: {name: s, scope_key_builder: {fragments: [{header_value_extractor: {name: x, index: 0}}]}, rds_config_source: {ads: {}},
		scoped_route_configurations_list: {scoped_route_configurations: [{name: one, key: {fragments: [{string_key: one}]},
		` + strings.Replace(routes("", cluster), "route_config", "route_configuration", 1) + `}]}}`
}

// divisions are bootstraps and what becomes of them.
var divisions = []struct {
	name, text     string
	cfg            adopt.Config
	moved, remains string
	note           string // part of the notes; "" is for none
}{
	{"a whole proxy", `static_resources: {listeners: [` + listener("web", routes("edge", "a")) + `], clusters: [{name: a, ` + endpoints("10.0.0.1") + `}]}`,
		config(), "Cluster a, Endpoint a, Listener web, Route edge", "deltaplane", ""},
	{"routes are to stay", `static_resources: {listeners: [` + listener("web", routes("edge", "a")) + `], clusters: [{name: a, ` + endpoints("10.0.0.1") + `}]}`,
		keeping(true, false), "Cluster a, Endpoint a, Listener web", "deltaplane", ""},
	{"endpoints are to stay", `static_resources: {clusters: [{name: a, ` + endpoints("10.0.0.1") + `}]}`, keeping(false, true), "Cluster a", "deltaplane", ""},
	{"names resolved by DNS", `static_resources: {clusters: [{name: a, type: STRICT_DNS, ` + endpoints("a.test") + `}]}`, config(), "Cluster a", "deltaplane", ""},
	{"an address twice", `static_resources: {clusters: [{name: a, ` + endpoints("10.0.0.1", "10.0.0.1") + `}]}`, config(), "Cluster a", "deltaplane", "twice"},
	{"endpoints that grow stale", `static_resources: {clusters: [{name: a, load_assignment: {cluster_name: a, policy: {endpoint_stale_after: 1s}}}]}`,
		config(), "Cluster a", "deltaplane", "endpoint_stale_after"},
	{"a cluster of the same name as ours", `static_resources: {clusters: [{name: deltaplane}]}`, config(), "Cluster deltaplane", "deltaplane-2", ""},
	{"a listener without a name", `static_resources: {listeners: [` + listener("", routes("", "a")) + `]}`,
		config(), "Listener listener_127.0.0.1_80, Route listener_127.0.0.1_80", "deltaplane", "has no name"},
	{"two route tables of one name", `static_resources: {listeners: [` + listener("one", routes("r", "a")) + `, ` + listener("two", routes("r", "b")) + `]}`,
		config(), "Listener one, Listener two, Route r, Route r-2", "deltaplane", `called "r-2"`},
	{"one route table twice", `static_resources: {listeners: [` + listener("one", routes("r", "a")) + `, ` + listener("two", routes("r", "a")) + `]}`,
		config(), "Listener one, Listener two, Route r", "deltaplane", ""},
	{"a host that no part can be named after", `static_resources: {listeners: [` + strings.Replace(listener("web", routes("r", "a")), "name: all", "name: a/b", 1) + `]}`,
		config(), "Listener web", "deltaplane", "the routes stay in the listener"},
	{"scopes", `static_resources: {listeners: [` + listener("one", scopes("a")) + `, ` + listener("two", scopes("a")) + `]}`,
		config(), "Listener one, Listener two, Route one, ScopedRoute one", "deltaplane", `called "one"`},
	{"two lists of scopes", `static_resources: {listeners: [` + listener("one", scopes("a")) + `, ` + listener("two", scopes("b")) + `]}`,
		config(), "Listener one, Listener two", "deltaplane", "the scopes stay in the listener"},
	{"an API listener", `static_resources: {listeners: [{name: api, api_listener: {api_listener: {` + hcm + `, ` + routes("r", "a") + `}}}], clusters: [{name: a}, {name: b}]}`,
		config(), "Cluster b", "a, deltaplane, api", "API listeners"},
	{"a cluster that statistics need, and what it needs", `
stats_sinks: [{name: s, typed_config: {"@type": type.googleapis.com/envoy.config.metrics.v3.StatsdSink, tcp_cluster_name: sink}}]
static_resources:
  clusters:
  - name: sink
    cluster_type: {name: a, typed_config: {"@type": type.googleapis.com/envoy.extensions.clusters.aggregate.v3.ClusterConfig, clusters: [inner]}}
  - {name: inner}
  - {name: other}
`, config(), "Cluster other", "sink, inner, deltaplane", "stats_sinks[0].typed_config.tcp_cluster_name"},
	{"the cluster of another config source", `static_resources: {clusters: [{name: spire}, {name: a, transport_socket: {name: tls, typed_config: {
		"@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext, common_tls_context: {tls_certificate_sds_secret_configs: [
		{name: me, sds_config: {api_config_source: {api_type: GRPC, grpc_services: [{envoy_grpc: {cluster_name: spire}}]}}}]}}}}]}`,
		config(), "Cluster a", "spire, deltaplane", `cluster "spire" stays`},
	{"a secret that a cluster of the bootstrap needs", `
cluster_manager: {local_cluster_name: a}
static_resources:
  secrets: [{name: tls, generic_secret: {secret: {inline_string: x}}}, {name: unused, generic_secret: {secret: {inline_string: x}}}]
  clusters: [{name: a, transport_socket: {name: tls, typed_config: {"@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext,
    common_tls_context: {tls_certificate_sds_secret_configs: [{name: tls}]}}}}]
`, config(), "Secret tls, Secret unused", "a, deltaplane, tls", `secret "tls" stays`},
	{"a file that cannot be read", `static_resources: {listeners: [` + listener("web", `rds: {route_config_name: r, config_source: {path_config_source: {path: /absent}}}`) + `]}`,
		withFiles(nil), "Listener web", "deltaplane", "still comes from /absent"},
	{"a file with something else", `static_resources: {listeners: [` + listener("web", `rds: {route_config_name: r, config_source: {path: /f}}`) + `]}`,
		withFiles(map[string]string{"/f": `{"@type": type.googleapis.com/envoy.config.route.v3.RouteConfiguration, name: other}`}), "Listener web", "deltaplane", "does not hold it"},
	{"a runtime layer from a file", `layered_runtime: {layers: [{name: l, rtds_layer: {name: r, rtds_config: {path_config_source: {path: /f}}}}]}`,
		withFiles(map[string]string{"/f": `{"@type": type.googleapis.com/envoy.service.runtime.v3.Runtime, name: r, layer: {a: 1}}`}), "Runtime r", "deltaplane", "no effect any more"},
}

func TestWhatMovesAndWhatStays(t *testing.T) {
	for _, c := range divisions {
		t.Run(c.name, func(t *testing.T) {
			r := divide(t, c.cfg, "node: {id: n, cluster: c}\n"+c.text)
			if got := names(r); got != c.moved {
				t.Errorf("moved are %s; want %s", got, c.moved)
			}
			if got := static(r); got != c.remains {
				t.Errorf("there remain %s; want %s", got, c.remains)
			}
			if got := notes(r); !strings.Contains(got, c.note) || c.note == "" && got != "" {
				t.Errorf("notes are %q; want %q", got, c.note)
			}
		})
	}
}

// withFiles is config with these files and no others.
func withFiles(files map[string]string) adopt.Config {
	cfg := config()
	cfg.ReadFile = func(name string) ([]byte, error) {
		if text, ok := files[name]; ok {
			return []byte(text), nil
		}
		return nil, fs.ErrNotExist
	}
	return cfg
}

func TestReferencesGoToTheControlPlane(t *testing.T) {
	r := divide(t, config(), `
admin: {address: {socket_address: {address: 127.0.0.1, port_value: 9901}}}
static_resources:
  secrets: [{name: tls, generic_secret: {secret: {inline_string: x}}}]
  listeners: [`+listener("web", routes("edge", "a"))+`]
  clusters:
  - name: a
    `+endpoints("10.0.0.1")+`
    transport_socket: {name: tls, typed_config: {"@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext,
      common_tls_context: {tls_certificate_sds_secret_configs: [{name: tls}]}}}
`)
	want := map[string]bool{"Cluster a": true, "Endpoint a": true, "Secret tls": true, "Route edge": true}
	for _, one := range r.Resources {
		for _, ref := range one.References() {
			delete(want, ref.Type.Short()+" "+ref.Name)
		}
	}
	if len(want) > 0 {
		t.Errorf("nothing refers to %v over ADS", want)
	}
	d := r.Bootstrap.GetDynamicResources()
	if d.GetCdsConfig().GetAds() == nil || d.GetLdsConfig().GetAds() == nil || d.GetAdsConfig() == nil || r.Bootstrap.GetAdmin() == nil {
		t.Errorf("the bootstrap is %v", r.Bootstrap)
	}
	if n := r.Bootstrap.GetNode(); n.GetId() == "" || n.GetCluster() == "" || !strings.Contains(notes(r), "node.id") {
		t.Errorf("node is %v", n)
	}
}

func TestTheControlPlanesClusterIsNamedInItsSource(t *testing.T) {
	r := divide(t, config(), `static_resources: {clusters: [{name: deltaplane}]}`)
	clusters := r.Bootstrap.StaticResources.Clusters
	ours, source := clusters[len(clusters)-1], r.Bootstrap.DynamicResources.AdsConfig.GrpcServices[0].GetEnvoyGrpc().ClusterName
	if ours.Name != source || ours.LoadAssignment.ClusterName != source {
		t.Errorf("the cluster is called %q and %q, its source asks for %q", ours.Name, ours.LoadAssignment.ClusterName, source)
	}
}

func TestWhatCannotBeHadBothWaysIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"dynamic_resources.ads_config":         `dynamic_resources: {ads_config: {api_type: GRPC, grpc_services: [{envoy_grpc: {cluster_name: x}}]}}`,
		"dynamic_resources.lds_config":         `dynamic_resources: {lds_config: {api_config_source: {api_type: GRPC, grpc_services: [{envoy_grpc: {cluster_name: x}}]}}}`,
		"dynamic_resources.cds_config":         `dynamic_resources: {cds_config: {path_config_source: {path: /absent}}}`,
		"static_resources.listeners[1].name":   `static_resources: {listeners: [` + listener("a", routes("", "a")) + `, ` + listener("a", routes("", "b")) + `]}`,
		"static_resources.clusters[1].name":    `static_resources: {clusters: [{name: a}, {name: a}]}`,
		"static_resources.secrets[1].name":     `static_resources: {secrets: [{name: a}, {name: a}]}`,
		"dynamic_resources.lds_config (again)": `dynamic_resources: {lds_config: {path: /bad}}`,
	} {
		_, err := adopt.Bootstrap(parse(t, text), withFiles(map[string]string{"/bad": "resources: 7"}))
		path, _, _ := strings.Cut(name, " ")
		problems, ok := errors.AsType[resource.Problems](err)
		if !ok || len(problems) == 0 || problems[len(problems)-1].Path != path {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

func TestTheInputStaysAndTheResultIsAlwaysTheSame(t *testing.T) {
	text := `static_resources: {listeners: [` + listener("", routes("", "a")) + `, ` + listener("", routes("", "b")) + `], clusters: [{name: a}, {name: b}]}`
	b := parse(t, text)
	first, err := adopt.Bootstrap(b, config())
	if err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(b, parse(t, text)) {
		t.Error("the input has changed")
	}
	for range 10 {
		again, err := adopt.Bootstrap(b, config())
		if err != nil || names(again) != names(first) || notes(again) != notes(first) || !proto.Equal(again.Bootstrap, first.Bootstrap) {
			t.Fatalf("another result: %s, error %v", names(again), err)
		}
	}
}
