package client

import (
	"fmt"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

const typeURLPrefix = "type.googleapis.com/"

// aggregated is the delta method that carries every type (xDS protocol,
// "Aggregated Discovery Service").
const aggregated = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"

// typed are the delta methods that carry one type ("Singleton resource type
// discovery services"). They are named here, and not taken from the generated
// services, so that programs link only the types that they use.
var typed = map[string]string{
	typeURLPrefix + "envoy.config.cluster.v3.Cluster":                  "/envoy.service.cluster.v3.ClusterDiscoveryService/DeltaClusters",
	typeURLPrefix + "envoy.config.endpoint.v3.ClusterLoadAssignment":   "/envoy.service.endpoint.v3.EndpointDiscoveryService/DeltaEndpoints",
	typeURLPrefix + "envoy.config.listener.v3.Listener":                "/envoy.service.listener.v3.ListenerDiscoveryService/DeltaListeners",
	typeURLPrefix + "envoy.config.route.v3.RouteConfiguration":         "/envoy.service.route.v3.RouteDiscoveryService/DeltaRoutes",
	typeURLPrefix + "envoy.config.route.v3.ScopedRouteConfiguration":   "/envoy.service.route.v3.ScopedRoutesDiscoveryService/DeltaScopedRoutes",
	typeURLPrefix + "envoy.config.route.v3.VirtualHost":                "/envoy.service.route.v3.VirtualHostDiscoveryService/DeltaVirtualHosts",
	typeURLPrefix + "envoy.extensions.transport_sockets.tls.v3.Secret": "/envoy.service.secret.v3.SecretDiscoveryService/DeltaSecrets",
	typeURLPrefix + "envoy.service.runtime.v3.Runtime":                 "/envoy.service.runtime.v3.RuntimeDiscoveryService/DeltaRuntime",
	typeURLPrefix + "envoy.config.core.v3.TypedExtensionConfig":        "/envoy.service.extension.v3.ExtensionConfigDiscoveryService/DeltaExtensionConfigs",
}

// methodFor is the method of a type's own service, or the aggregated one for
// types without.
func methodFor(url string) string {
	if method, ok := typed[url]; ok {
		return method
	}
	return aggregated
}

var description = &grpc.StreamDesc{StreamName: "Delta", ServerStreams: true, ClientStreams: true}

// urlOf is the type URL of T.
func urlOf[T proto.Message]() (string, error) {
	var zero T
	if any(zero) == nil {
		return "", fmt.Errorf("%T: %w: name a message, such as *clusterv3.Cluster", &zero, ErrType)
	}
	return typeURLPrefix + string(zero.ProtoReflect().Descriptor().FullName()), nil
}

// shortURL is url as people write the type.
func shortURL(url string) string { return strings.TrimPrefix(url, typeURLPrefix) }
