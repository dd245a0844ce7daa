package resource

import (
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	"google.golang.org/protobuf/proto"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
)

func TestTypesAreKnownByEachOfTheirNames(t *testing.T) {
	for _, want := range append([]Type{Fleet, Shape}, Served()...) {
		for _, s := range []string{string(want), want.URL(), want.Short(), strings.ToLower(want.Short()), strings.ToUpper(want.Short()) + "S"} {
			if got, err := ParseType(s); err != nil || got != want {
				t.Errorf("%s: got %s, error %v", s, got, err)
			}
		}
	}
	for s, want := range map[string]Type{"cds": Cluster, "EDS": Endpoint, "virtual-hosts": VirtualHost, "routeConfigurations": Route, "scoped_route": ScopedRoute} {
		if got, err := ParseType(s); err != nil || got != want {
			t.Errorf("%s: got %s, error %v", s, got, err)
		}
	}
	for _, s := range []string{"", "pod", "envoy.config.core.v3.Node"} {
		if _, err := ParseType(s); err == nil || !strings.Contains(err.Error(), "expected one of cluster, endpoint") {
			t.Errorf("%s: error %v", s, err)
		}
	}
}

func TestNamesThatCannotBeKeptAreRefused(t *testing.T) {
	for name, want := range map[string]string{
		"":                        "must not be empty",
		"a\x00b":                  "control character",
		"a\nb":                    "control character",
		"a\u0085b":                "control character",
		"\xff":                    "valid UTF-8",
		strings.Repeat("x", 4097): "4097 bytes",
	} {
		_, err := New(&listenerv3.Listener{Name: name})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %s", name, err, want)
		}
	}
	if r, err := New(&clusterv3.Cluster{Name: "größe/ü*"}); err != nil || r.Name() != "größe/ü*" {
		t.Errorf("error %v", err)
	}
}

func TestStringsThatAreNotUTF8AreRefusedWithTheirPath(t *testing.T) {
	_, err := New(&clusterv3.Cluster{Name: "a", TransportSocket: &corev3.TransportSocket{Name: "\xff"}})
	if err == nil || !strings.Contains(err.Error(), "transport_socket.name: is not valid UTF-8") {
		t.Errorf("error %v", err)
	}
}

func TestOnlyServedTypesAreResources(t *testing.T) {
	for _, m := range []proto.Message{&corev3.Node{}, &corev3.Address{}} {
		if _, err := New(m); err == nil || !strings.Contains(err.Error(), "expected one of envoy.config.cluster.v3.Cluster") {
			t.Errorf("error %v", err)
		}
	}
}

func TestHostNamesAreCutAtTheLastSlash(t *testing.T) {
	for name, want := range map[string][2]string{"rc/h": {"rc", "h"}, "a/b/h": {"a/b", "h"}, "rc/": {}, "/h": {}, "h": {}, "": {}} {
		route, host, ok := HostOf(name)
		if route != want[0] || host != want[1] || ok != (want[0] != "") {
			t.Errorf("%q: %q, %q, %v", name, route, host, ok)
		}
	}
}

func TestFieldNumbersInTheCodeAreThoseOfTheProtos(t *testing.T) {
	for name, want := range map[string]int{
		"envoy.config.route.v3.RouteConfiguration.name":                      hostName,
		"envoy.config.route.v3.RouteConfiguration.virtual_hosts":             routeHosts,
		"envoy.config.route.v3.RouteConfiguration.request_headers_to_remove": routeRemovals,
		"envoy.config.route.v3.VirtualHost.name":                             hostName,
		"envoy.config.route.v3.VirtualHost.routes":                           hostRoutes,
		"envoy.config.route.v3.VirtualHost.domains":                          hostDomains,
		"envoy.config.route.v3.VirtualHost.request_headers_to_remove":        hostRemovals,
		"envoy.config.route.v3.Route.name":                                   routeName,
		"envoy.config.route.v3.Route.request_headers_to_remove":              entryRemovals,
		"envoy.config.route.v3.RouteAction.prefix_rewrite":                   prefixRewrite,
		"envoy.config.route.v3.RouteAction.regex_rewrite":                    regexRewrite,
		"envoy.config.route.v3.RouteAction.path_rewrite_policy":              rewritePolicy,
		"google.protobuf.Value.number_value":                                 numberValue,
		"google.protobuf.Duration.seconds":                                   timeSeconds,
		"google.protobuf.Duration.nanos":                                     timeNanos,
	} {
		message, field := Type(name[:strings.LastIndexByte(name, '.')]), name[strings.LastIndexByte(name, '.')+1:]
		md, err := descriptorOf(message)
		if err != nil {
			t.Fatal(err)
		}
		if f := planOf(md).names[field]; f == nil || int(f.Number()) != want {
			t.Errorf("%s: not field number %d", name, want)
		}
	}
}
