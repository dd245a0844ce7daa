package xds

import (
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/service/cluster/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/service/endpoint/v3"
	extensionv3 "github.com/envoyproxy/go-control-plane/envoy/service/extension/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/service/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/service/route/v3"
	runtimev3 "github.com/envoyproxy/go-control-plane/envoy/service/runtime/v3"
	secretv3 "github.com/envoyproxy/go-control-plane/envoy/service/secret/v3"
	"google.golang.org/grpc"

	"github.com/deltaplane/deltaplane/resource"
)

// Register adds all discovery services to r, a *grpc.Server made with
// GRPCOptions.
func (s *Server) Register(r grpc.ServiceRegistrar) {
	discoveryv3.RegisterAggregatedDiscoveryServiceServer(r, ads{s: s})
	clusterv3.RegisterClusterDiscoveryServiceServer(r, cds{s: s})
	endpointv3.RegisterEndpointDiscoveryServiceServer(r, eds{s: s})
	listenerv3.RegisterListenerDiscoveryServiceServer(r, lds{s: s})
	routev3.RegisterRouteDiscoveryServiceServer(r, rds{s: s})
	routev3.RegisterScopedRoutesDiscoveryServiceServer(r, srds{s: s})
	routev3.RegisterVirtualHostDiscoveryServiceServer(r, vhds{s: s})
	secretv3.RegisterSecretDiscoveryServiceServer(r, sds{s: s})
	runtimev3.RegisterRuntimeDiscoveryServiceServer(r, rtds{s: s})
	extensionv3.RegisterExtensionConfigDiscoveryServiceServer(r, ecds{s: s})
}

type (
	sotwStream  = grpc.BidiStreamingServer[discoveryv3.DiscoveryRequest, discoveryv3.DiscoveryResponse]
	deltaStream = grpc.BidiStreamingServer[discoveryv3.DeltaDiscoveryRequest, discoveryv3.DeltaDiscoveryResponse]
)

// One type for each service, as their methods differ in name only.
type (
	ads struct {
		discoveryv3.UnimplementedAggregatedDiscoveryServiceServer
		s *Server
	}
	cds struct {
		clusterv3.UnimplementedClusterDiscoveryServiceServer
		s *Server
	}
	eds struct {
		endpointv3.UnimplementedEndpointDiscoveryServiceServer
		s *Server
	}
	lds struct {
		listenerv3.UnimplementedListenerDiscoveryServiceServer
		s *Server
	}
	rds struct {
		routev3.UnimplementedRouteDiscoveryServiceServer
		s *Server
	}
	srds struct {
		routev3.UnimplementedScopedRoutesDiscoveryServiceServer
		s *Server
	}
	vhds struct {
		routev3.UnimplementedVirtualHostDiscoveryServiceServer
		s *Server
	}
	sds struct {
		secretv3.UnimplementedSecretDiscoveryServiceServer
		s *Server
	}
	rtds struct {
		runtimev3.UnimplementedRuntimeDiscoveryServiceServer
		s *Server
	}
	ecds struct {
		extensionv3.UnimplementedExtensionConfigDiscoveryServiceServer
		s *Server
	}
)

func (x ads) StreamAggregatedResources(g sotwStream) error { return x.s.serve(g, "", false) }
func (x ads) DeltaAggregatedResources(g deltaStream) error { return x.s.serve(g, "", true) }

func (x cds) StreamClusters(g sotwStream) error { return x.s.serve(g, resource.Cluster, false) }
func (x cds) DeltaClusters(g deltaStream) error { return x.s.serve(g, resource.Cluster, true) }

func (x eds) StreamEndpoints(g sotwStream) error { return x.s.serve(g, resource.Endpoint, false) }
func (x eds) DeltaEndpoints(g deltaStream) error { return x.s.serve(g, resource.Endpoint, true) }

func (x lds) StreamListeners(g sotwStream) error { return x.s.serve(g, resource.Listener, false) }
func (x lds) DeltaListeners(g deltaStream) error { return x.s.serve(g, resource.Listener, true) }

func (x rds) StreamRoutes(g sotwStream) error { return x.s.serve(g, resource.Route, false) }
func (x rds) DeltaRoutes(g deltaStream) error { return x.s.serve(g, resource.Route, true) }

func (x srds) StreamScopedRoutes(g sotwStream) error {
	return x.s.serve(g, resource.ScopedRoute, false)
}
func (x srds) DeltaScopedRoutes(g deltaStream) error { return x.s.serve(g, resource.ScopedRoute, true) }

func (x vhds) DeltaVirtualHosts(g deltaStream) error { return x.s.serve(g, resource.VirtualHost, true) }

func (x sds) StreamSecrets(g sotwStream) error { return x.s.serve(g, resource.Secret, false) }
func (x sds) DeltaSecrets(g deltaStream) error { return x.s.serve(g, resource.Secret, true) }

func (x rtds) StreamRuntime(g sotwStream) error { return x.s.serve(g, resource.Runtime, false) }
func (x rtds) DeltaRuntime(g deltaStream) error { return x.s.serve(g, resource.Runtime, true) }

func (x ecds) StreamExtensionConfigs(g sotwStream) error {
	return x.s.serve(g, resource.ExtensionConfig, false)
}
func (x ecds) DeltaExtensionConfigs(g deltaStream) error {
	return x.s.serve(g, resource.ExtensionConfig, true)
}
