package conformance

import (
	"fmt"
	"strings"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	bufferv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/buffer/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	runtimev3 "github.com/envoyproxy/go-control-plane/envoy/service/runtime/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/deltaplane/deltaplane/resource"
)

// Build makes the resource that s describes. Its inverse is read.
func (s Spec) Build() (proto.Message, error) {
	switch s.Type {
	case resource.Cluster:
		return s.cluster(), nil
	case resource.Endpoint:
		return s.endpoint(), nil
	case resource.Listener:
		return s.listener()
	case resource.Route:
		return s.route(), nil
	case resource.VirtualHost:
		return s.host(s.Name), nil
	case resource.ScopedRoute:
		return s.scope(), nil
	case resource.Secret:
		return s.secret(), nil
	case resource.Runtime:
		return &runtimev3.Runtime{Name: s.Name, Layer: &structpb.Struct{Fields: map[string]*structpb.Value{
			"content": structpb.NewNumberValue(float64(s.Content)),
			"padding": structpb.NewStringValue(strings.Repeat("x", s.Padding)),
		}}}, nil
	case resource.ExtensionConfig:
		return s.extension()
	}
	return nil, fmt.Errorf("%s cannot be built", s.Type)
}

func ads() *corev3.ConfigSource {
	return &corev3.ConfigSource{
		ResourceApiVersion:    corev3.ApiVersion_V3,
		ConfigSourceSpecifier: &corev3.ConfigSource_Ads{Ads: &corev3.AggregatedConfigSource{}},
	}
}

func address(port int) *corev3.Address {
	return &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
		Address:       "127.0.0.1",
		PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: uint32(port)},
	}}}
}

func (s Spec) cluster() proto.Message {
	c := &clusterv3.Cluster{
		Name:                 s.Name,
		ConnectTimeout:       durationpb.New(time.Duration(s.Content) * time.Second),
		ClusterDiscoveryType: &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STATIC},
		AltStatName:          strings.Repeat("x", s.Padding),
	}
	if s.Reference != "" {
		c.ClusterDiscoveryType = &clusterv3.Cluster_Type{Type: clusterv3.Cluster_EDS}
		c.EdsClusterConfig = &clusterv3.Cluster_EdsClusterConfig{EdsConfig: ads()}
		if s.Reference != s.Name {
			c.EdsClusterConfig.ServiceName = s.Reference
		}
	}
	return c
}

func (s Spec) endpoint() proto.Message {
	return &endpointv3.ClusterLoadAssignment{
		ClusterName: s.Name,
		Endpoints: []*endpointv3.LocalityLbEndpoints{{LbEndpoints: []*endpointv3.LbEndpoint{{
			HostIdentifier: &endpointv3.LbEndpoint_Endpoint{Endpoint: &endpointv3.Endpoint{Address: address(s.Content)}},
		}}}},
	}
}

func (s Spec) listener() (proto.Message, error) {
	l := &listenerv3.Listener{Name: s.Name, Address: address(s.Content)}
	if s.Reference == "" {
		return l, nil
	}
	router, err := anypb.New(&routerv3.Router{})
	if err != nil {
		return nil, err
	}
	manager, err := anypb.New(&hcmv3.HttpConnectionManager{
		StatPrefix: s.Name,
		RouteSpecifier: &hcmv3.HttpConnectionManager_Rds{
			Rds: &hcmv3.Rds{ConfigSource: ads(), RouteConfigName: s.Reference},
		},
		HttpFilters: []*hcmv3.HttpFilter{{
			Name: "router", ConfigType: &hcmv3.HttpFilter_TypedConfig{TypedConfig: router},
		}},
	})
	if err != nil {
		return nil, err
	}
	l.FilterChains = []*listenerv3.FilterChain{{Filters: []*listenerv3.Filter{{
		Name: "http", ConfigType: &listenerv3.Filter_TypedConfig{TypedConfig: manager},
	}}}}
	return l, nil
}

// route keeps its content in its only host, or with "vhds" in the shell.
func (s Spec) route() proto.Message {
	if s.Reference == "vhds" {
		return &routev3.RouteConfiguration{
			Name:                           s.Name,
			Vhds:                           &routev3.Vhds{ConfigSource: ads()},
			MaxDirectResponseBodySizeBytes: wrapperspb.UInt32(uint32(s.Content)),
		}
	}
	return &routev3.RouteConfiguration{Name: s.Name, VirtualHosts: []*routev3.VirtualHost{s.host("main")}}
}

func (s Spec) host(name string) *routev3.VirtualHost {
	_, domain, ok := resource.HostOf(name)
	if !ok {
		domain = "*"
	}
	r := &routev3.Route{
		Name:  fmt.Sprint(s.Content),
		Match: &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Prefix{Prefix: "/" + strings.Repeat("x", s.Padding)}},
		Action: &routev3.Route_DirectResponse{DirectResponse: &routev3.DirectResponseAction{
			Status: 200,
		}},
	}
	if s.Reference != "" {
		r.Action = &routev3.Route_Route{Route: &routev3.RouteAction{
			ClusterSpecifier: &routev3.RouteAction_Cluster{Cluster: s.Reference},
		}}
	}
	return &routev3.VirtualHost{Name: name, Domains: []string{domain}, Routes: []*routev3.Route{r}}
}

func (s Spec) scope() proto.Message {
	return &routev3.ScopedRouteConfiguration{
		Name:                   s.Name,
		RouteConfigurationName: s.Reference,
		Key: &routev3.ScopedRouteConfiguration_Key{Fragments: []*routev3.ScopedRouteConfiguration_Key_Fragment{{
			Type: &routev3.ScopedRouteConfiguration_Key_Fragment_StringKey{StringKey: fmt.Sprint(s.Content)},
		}}},
	}
}

func (s Spec) secret() proto.Message {
	return &tlsv3.Secret{Name: s.Name, Type: &tlsv3.Secret_GenericSecret{GenericSecret: &tlsv3.GenericSecret{
		Secret: &corev3.DataSource{Specifier: &corev3.DataSource_InlineString{InlineString: fmt.Sprint(s.Content)}},
	}}}
}

func (s Spec) extension() (proto.Message, error) {
	config, err := anypb.New(&bufferv3.Buffer{MaxRequestBytes: wrapperspb.UInt32(uint32(s.Content))})
	if err != nil {
		return nil, err
	}
	return &corev3.TypedExtensionConfig{Name: s.Name, TypedConfig: config}, nil
}
