package conformance

import (
	"fmt"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"

	clusterservice "github.com/envoyproxy/go-control-plane/envoy/service/cluster/v3"
	endpointservice "github.com/envoyproxy/go-control-plane/envoy/service/endpoint/v3"
	extensionservice "github.com/envoyproxy/go-control-plane/envoy/service/extension/v3"
	listenerservice "github.com/envoyproxy/go-control-plane/envoy/service/listener/v3"
	routeservice "github.com/envoyproxy/go-control-plane/envoy/service/route/v3"
	runtimeservice "github.com/envoyproxy/go-control-plane/envoy/service/runtime/v3"
	secretservice "github.com/envoyproxy/go-control-plane/envoy/service/secret/v3"

	"github.com/deltaplane/deltaplane/resource"
)

// kinds are the script language's words for resource types.
var kinds = map[string]resource.Type{
	"cluster":   resource.Cluster,
	"endpoint":  resource.Endpoint,
	"listener":  resource.Listener,
	"route":     resource.Route,
	"scope":     resource.ScopedRoute,
	"host":      resource.VirtualHost,
	"secret":    resource.Secret,
	"runtime":   resource.Runtime,
	"extension": resource.ExtensionConfig,
	"fleet":     resource.Fleet,
}

// kindOf is the script's word for t, or t itself.
func kindOf(t resource.Type) string {
	for word, typ := range kinds {
		if typ == t {
			return word
		}
	}
	return string(t)
}

// typeOf is the inverse of kindOf. A word with a dot is taken as it is, for
// requests of types that nobody serves.
func typeOf(word string) (resource.Type, error) {
	if t, ok := kinds[word]; ok {
		return t, nil
	}
	for _, r := range word {
		if r == '.' {
			return resource.Type(word), nil
		}
	}
	return "", fmt.Errorf("kind %q is unknown", word)
}

// methods are the RPCs of each type: "RPC Services and Methods for Each
// Variant". VirtualHost has no state-of-the-world variant.
var methods = map[resource.Type]struct{ sotw, delta string }{
	"": {
		discoveryv3.AggregatedDiscoveryService_StreamAggregatedResources_FullMethodName,
		discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResources_FullMethodName,
	},
	resource.Cluster: {
		clusterservice.ClusterDiscoveryService_StreamClusters_FullMethodName,
		clusterservice.ClusterDiscoveryService_DeltaClusters_FullMethodName,
	},
	resource.Endpoint: {
		endpointservice.EndpointDiscoveryService_StreamEndpoints_FullMethodName,
		endpointservice.EndpointDiscoveryService_DeltaEndpoints_FullMethodName,
	},
	resource.Listener: {
		listenerservice.ListenerDiscoveryService_StreamListeners_FullMethodName,
		listenerservice.ListenerDiscoveryService_DeltaListeners_FullMethodName,
	},
	resource.Route: {
		routeservice.RouteDiscoveryService_StreamRoutes_FullMethodName,
		routeservice.RouteDiscoveryService_DeltaRoutes_FullMethodName,
	},
	resource.ScopedRoute: {
		routeservice.ScopedRoutesDiscoveryService_StreamScopedRoutes_FullMethodName,
		routeservice.ScopedRoutesDiscoveryService_DeltaScopedRoutes_FullMethodName,
	},
	resource.VirtualHost: {
		"",
		routeservice.VirtualHostDiscoveryService_DeltaVirtualHosts_FullMethodName,
	},
	resource.Secret: {
		secretservice.SecretDiscoveryService_StreamSecrets_FullMethodName,
		secretservice.SecretDiscoveryService_DeltaSecrets_FullMethodName,
	},
	resource.Runtime: {
		runtimeservice.RuntimeDiscoveryService_StreamRuntime_FullMethodName,
		runtimeservice.RuntimeDiscoveryService_DeltaRuntime_FullMethodName,
	},
	resource.ExtensionConfig: {
		extensionservice.ExtensionConfigDiscoveryService_StreamExtensionConfigs_FullMethodName,
		extensionservice.ExtensionConfigDiscoveryService_DeltaExtensionConfigs_FullMethodName,
	},
}
