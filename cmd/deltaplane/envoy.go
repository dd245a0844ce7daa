package main

import (
	"net"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
)

// xdsCluster is the name of the control plane's cluster in the bootstrap.
const xdsCluster = "deltaplane"

// yaml is the bootstrap as Envoy reads it.
func (o *bootstrapOptions) yaml() ([]byte, error) {
	bootstrap, err := o.bootstrap()
	if err != nil {
		return nil, err
	}
	return bootstrapYAML(bootstrap)
}

func (o *bootstrapOptions) bootstrap() (*bootstrapv3.Bootstrap, error) {
	metadata, err := o.metadataStruct()
	if err != nil {
		return nil, err
	}
	cluster, err := o.xdsCluster()
	if err != nil {
		return nil, err
	}
	node := &corev3.Node{Id: o.node, Cluster: o.cluster, Metadata: metadata}
	if o.region+o.zone+o.subZone != "" {
		node.Locality = &corev3.Locality{Region: o.region, Zone: o.zone, SubZone: o.subZone}
	}
	return &bootstrapv3.Bootstrap{
		Node:            node,
		StaticResources: &bootstrapv3.Bootstrap_StaticResources{Clusters: []*clusterv3.Cluster{cluster}},
		DynamicResources: &bootstrapv3.Bootstrap_DynamicResources{
			AdsConfig:           o.ads(),
			CdsConfig:           overADS(15 * time.Second),
			CdsResourcesLocator: o.clusters,
			LdsConfig:           overADS(15 * time.Second),
			LdsResourcesLocator: o.listeners,
		},
		LayeredRuntime: &bootstrapv3.LayeredRuntime{Layers: []*bootstrapv3.RuntimeLayer{
			// Envoy waits for this layer before it asks for anything else, so
			// a control plane without a Runtime resource must not cost 15 s.
			{Name: "rtds0", LayerSpecifier: &bootstrapv3.RuntimeLayer_RtdsLayer_{
				RtdsLayer: &bootstrapv3.RuntimeLayer_RtdsLayer{Name: "rtds0", RtdsConfig: overADS(time.Second)},
			}},
			{Name: "admin", LayerSpecifier: &bootstrapv3.RuntimeLayer_AdminLayer_{AdminLayer: &bootstrapv3.RuntimeLayer_AdminLayer{}}},
		}},
		Admin:          &bootstrapv3.Admin{Address: socket("127.0.0.1", uint32(o.adminPort))},
		ClusterManager: o.clusterManager(),
	}, nil
}

// ads is the stream's configuration. Envoy draws each delay at random below a
// bound that starts at the base interval and doubles up to the maximum, so a
// fleet does not come back all at once.
func (o *bootstrapOptions) ads() *corev3.ApiConfigSource {
	kind := corev3.ApiConfigSource_DELTA_GRPC
	if o.sotw {
		kind = corev3.ApiConfigSource_GRPC
	}
	return &corev3.ApiConfigSource{
		ApiType:                   kind,
		TransportApiVersion:       corev3.ApiVersion_V3,
		SetNodeOnFirstMessageOnly: true,
		GrpcServices: []*corev3.GrpcService{{
			TargetSpecifier: &corev3.GrpcService_EnvoyGrpc_{EnvoyGrpc: &corev3.GrpcService_EnvoyGrpc{
				ClusterName: xdsCluster,
				RetryPolicy: &corev3.RetryPolicy{RetryBackOff: &corev3.BackoffStrategy{
					BaseInterval: durationpb.New(o.backoff), MaxInterval: durationpb.New(o.backoffMax),
				}},
			}},
		}},
	}
}

// clusterManager has Envoy report its load, or is nil.
func (o *bootstrapOptions) clusterManager() *bootstrapv3.ClusterManager {
	if !o.loadReports {
		return nil
	}
	source := o.ads()
	source.ApiType, source.SetNodeOnFirstMessageOnly = corev3.ApiConfigSource_GRPC, false
	return &bootstrapv3.ClusterManager{LoadStatsConfig: source}
}

func overADS(initialFetch time.Duration) *corev3.ConfigSource {
	return &corev3.ConfigSource{
		ConfigSourceSpecifier: &corev3.ConfigSource_Ads{Ads: &corev3.AggregatedConfigSource{}},
		ResourceApiVersion:    corev3.ApiVersion_V3,
		InitialFetchTimeout:   durationpb.New(initialFetch),
	}
}

func (o *bootstrapOptions) xdsCluster() (*clusterv3.Cluster, error) {
	host, port, err := o.address()
	if err != nil {
		return nil, err
	}
	http2, err := anypb.New(&httpv3.HttpProtocolOptions{
		UpstreamProtocolOptions: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_{
			ExplicitHttpConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig{
				ProtocolConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_Http2ProtocolOptions{
					Http2ProtocolOptions: &corev3.Http2ProtocolOptions{ConnectionKeepalive: &corev3.KeepaliveSettings{
						Interval: durationpb.New(5 * time.Second), Timeout: durationpb.New(2 * time.Second),
					}},
				},
			},
		},
	})
	if err != nil {
		return nil, err
	}
	discovery := clusterv3.Cluster_STRICT_DNS
	if net.ParseIP(host) != nil {
		discovery = clusterv3.Cluster_STATIC
	}
	transport, err := o.transport(host)
	if err != nil {
		return nil, err
	}
	return &clusterv3.Cluster{
		Name:                          xdsCluster,
		ClusterDiscoveryType:          &clusterv3.Cluster_Type{Type: discovery},
		ConnectTimeout:                durationpb.New(5 * time.Second),
		TypedExtensionProtocolOptions: map[string]*anypb.Any{"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2},
		TransportSocket:               transport,
		LoadAssignment: &endpointv3.ClusterLoadAssignment{
			ClusterName: xdsCluster,
			Endpoints: []*endpointv3.LocalityLbEndpoints{{LbEndpoints: []*endpointv3.LbEndpoint{{
				HostIdentifier: &endpointv3.LbEndpoint_Endpoint{Endpoint: &endpointv3.Endpoint{Address: socket(host, port)}},
			}}}},
		},
	}, nil
}

// transport is TLS to the control plane, or nil without --tls-ca. The server's
// certificate must name the host.
func (o *bootstrapOptions) transport(host string) (*corev3.TransportSocket, error) {
	if o.tlsCA == "" {
		return nil, nil
	}
	name, kind := o.tlsName, tlsv3.SubjectAltNameMatcher_DNS
	if name == "" {
		name = host
	}
	if net.ParseIP(name) != nil {
		kind = tlsv3.SubjectAltNameMatcher_IP_ADDRESS
	}
	common := &tlsv3.CommonTlsContext{
		ValidationContextType: &tlsv3.CommonTlsContext_ValidationContext{ValidationContext: &tlsv3.CertificateValidationContext{
			TrustedCa: inFile(o.tlsCA),
			MatchTypedSubjectAltNames: []*tlsv3.SubjectAltNameMatcher{{SanType: kind, Matcher: &matcherv3.StringMatcher{
				MatchPattern: &matcherv3.StringMatcher_Exact{Exact: name},
			}}},
		}},
	}
	if o.tlsCert != "" {
		common.TlsCertificates = []*tlsv3.TlsCertificate{{CertificateChain: inFile(o.tlsCert), PrivateKey: inFile(o.tlsKey)}}
	}
	upstream := &tlsv3.UpstreamTlsContext{CommonTlsContext: common}
	if kind == tlsv3.SubjectAltNameMatcher_DNS {
		upstream.Sni = name
	}
	return transportSocket(upstream)
}

func transportSocket(m proto.Message) (*corev3.TransportSocket, error) {
	config, err := anypb.New(m)
	if err != nil {
		return nil, err
	}
	return &corev3.TransportSocket{
		Name:       "envoy.transport_sockets.tls",
		ConfigType: &corev3.TransportSocket_TypedConfig{TypedConfig: config},
	}, nil
}

func inFile(name string) *corev3.DataSource {
	return &corev3.DataSource{Specifier: &corev3.DataSource_Filename{Filename: name}}
}

func socket(host string, port uint32) *corev3.Address {
	return &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
		Address: host, PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: port},
	}}}
}
