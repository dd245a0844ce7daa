package resource

import (
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
)

// Reference is a name that one resource takes for granted of another type.
type Reference struct {
	Type Type
	Name string
	Path string // field that holds it; the first, if there are several
}

// References lists what r needs over ADS: clusters of routes and filters,
// endpoints of EDS clusters, routes and scopes of listeners, secrets,
// extension configurations; at any depth inside of Any. Sources other than ADS
// and names that requests choose (cluster_header) are left out. Each type and
// name stands once, in the order of fields.
//
// Cost: the first call parses the resource; later calls share its result, so
// do not change it. Any goroutine may call.
func (r *Resource) References() []Reference {
	r.once.Do(func() {
		m, err := r.Message()
		if err != nil {
			return // bytes of a newer build: nothing is known of them
		}
		r.references = slices.Clip(referencesIn(m.ProtoReflect()))
	})
	return r.references
}

// referencesIn lists what m refers to.
func referencesIn(m protoreflect.Message) []Reference {
	w := referrer{seen: map[place]bool{}}
	w.walk.visit = w.message
	w.walk.message(m)
	return w.found
}

// referrer collects references while a message is walked.
type referrer struct {
	walk  walk
	found []Reference
	seen  map[place]bool
}

// clusterFields hold the name of one cluster.
var clusterFields = map[protoreflect.FullName]bool{
	"envoy.config.route.v3.RouteAction.cluster":                                                                 true,
	"envoy.config.route.v3.RouteAction.RequestMirrorPolicy.cluster":                                             true,
	"envoy.config.route.v3.WeightedCluster.ClusterWeight.name":                                                  true,
	"envoy.config.core.v3.HttpUri.cluster":                                                                      true,
	"envoy.config.core.v3.GrpcService.EnvoyGrpc.cluster_name":                                                   true,
	"envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.cluster":                                            true,
	"envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster.ClusterWeight.name":                 true,
	"envoy.extensions.filters.udp.udp_proxy.v3.UdpProxyConfig.cluster":                                          true,
	"envoy.extensions.filters.udp.udp_proxy.v3.Route.cluster":                                                   true,
	"envoy.extensions.filters.network.thrift_proxy.v3.RouteAction.cluster":                                      true,
	"envoy.extensions.filters.network.thrift_proxy.v3.RouteAction.RequestMirrorPolicy.cluster":                  true,
	"envoy.extensions.filters.network.thrift_proxy.v3.WeightedCluster.ClusterWeight.name":                       true,
	"envoy.extensions.filters.network.dubbo_proxy.v3.RouteAction.cluster":                                       true,
	"envoy.extensions.filters.network.generic_proxy.action.v3.RouteAction.cluster":                              true,
	"envoy.extensions.filters.network.redis_proxy.v3.RedisProxy.PrefixRoutes.Route.cluster":                     true,
	"envoy.extensions.filters.network.redis_proxy.v3.RedisProxy.PrefixRoutes.Route.RequestMirrorPolicy.cluster": true,
	"envoy.extensions.clusters.aggregate.v3.ClusterConfig.clusters":                                             true,
	"envoy.config.trace.v3.ZipkinConfig.collector_cluster":                                                      true,
	"envoy.config.trace.v3.DatadogConfig.collector_cluster":                                                     true,
	"envoy.config.trace.v3.LightstepConfig.collector_cluster":                                                   true,
	"envoy.extensions.access_loggers.fluentd.v3.FluentdAccessLogConfig.cluster":                                 true,
	"envoy.extensions.tracers.fluentd.v3.FluentdConfig.cluster":                                                 true,
	"envoy.extensions.filters.http.gcp_authn.v3.GcpAuthnFilterConfig.cluster":                                   true,
	"envoy.extensions.router.cluster_specifiers.matcher.v3.ClusterAction.cluster":                               true,
	"envoy.extensions.router.cluster_specifiers.priority_group.v3.ClusterWeight.cluster_name":                   true,
	"envoy.extensions.router.cluster_specifiers.lua.v3.LuaConfig.default_cluster":                               true,
	"envoy.data.dns.v3.DnsTable.DnsEndpoint.cluster_name":                                                       true,
	"envoy.extensions.filters.network.redis_proxy.v3.RedisProxy.PrefixRoutes.Route.ReadCommandPolicy.cluster":   true,
	"envoy.extensions.filters.http.mcp_router.v3.McpRouter.McpCluster.cluster":                                  true,
	"envoy.extensions.clusters.mcp_multicluster.v3.ClusterConfig.McpCluster.cluster":                            true,
	"envoy.config.core.v3.ApiConfigSource.cluster_names":                                                        true,
}

// message notes what one message refers to by itself.
func (w *referrer) message(m protoreflect.Message) {
	md := m.Descriptor()
	fields := md.Fields()
	switch md.FullName() {
	case "envoy.config.cluster.v3.Cluster":
		w.endpoints(m)
	case "envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig":
		w.source(m, fields, "sds_config", Secret, "name")
	case "envoy.extensions.filters.network.http_connection_manager.v3.Rds":
		w.source(m, fields, "config_source", Route, "route_config_name")
	case "envoy.config.route.v3.ScopedRouteConfiguration":
		if f := fields.ByName("route_configuration_name"); m.Has(f) {
			w.add(Route, m.Get(f).String(), f)
		}
	default:
		w.discovered(m)
	}
	for _, f := range w.walk.clusters(md) {
		w.names(m, f)
	}
}

// names adds what a string field, or a list of strings, holds as clusters.
func (w *referrer) names(m protoreflect.Message, f protoreflect.FieldDescriptor) {
	if !m.Has(f) {
		return
	}
	if !f.IsList() {
		w.add(Cluster, m.Get(f).String(), f)
		return
	}
	for i := range m.Get(f).List().Len() {
		w.add(Cluster, m.Get(f).List().Get(i).String(), f)
	}
}

// source adds a name that is fetched from a config source, if that is ADS.
func (w *referrer) source(m protoreflect.Message, fields protoreflect.FieldDescriptors, source protoreflect.Name, t Type, name protoreflect.Name) {
	if from := fields.ByName(source); !m.Has(from) || !overADS(m.Get(from).Message()) {
		return
	}
	f := fields.ByName(name)
	w.add(t, m.Get(f).String(), f)
}

// overADS reports whether a ConfigSource is ADS, or the stream that the
// resource itself came from.
func overADS(m protoreflect.Message) bool {
	source, ok := m.Interface().(*corev3.ConfigSource)
	return ok && (source.GetAds() != nil || source.GetSelf() != nil)
}

// endpoints adds the EDS service name of a cluster: its own name, if it has none.
func (w *referrer) endpoints(m protoreflect.Message) {
	eds := m.Descriptor().Fields().ByName("eds_cluster_config")
	if !m.Has(eds) {
		return
	}
	config := m.Get(eds).Message()
	source, service := config.Descriptor().Fields().ByName("eds_config"), config.Descriptor().Fields().ByName("service_name")
	if !config.Has(source) || !overADS(config.Get(source).Message()) {
		return
	}
	if config.Has(service) {
		w.walk.at.push(eds)
		w.add(Endpoint, config.Get(service).String(), service)
		w.walk.at.pop()
		return
	}
	name := m.Descriptor().Fields().ByName("name")
	w.add(Endpoint, m.Get(name).String(), name)
}

// discovered adds an extension that is fetched by ECDS: a message with a name
// beside its config_discovery.
func (w *referrer) discovered(m protoreflect.Message) {
	fields := m.Descriptor().Fields()
	discovery, name := fields.ByName("config_discovery"), fields.ByName("name")
	if discovery == nil || name == nil || !m.Has(discovery) {
		return
	}
	config := m.Get(discovery).Message()
	if source := config.Descriptor().Fields().ByName("config_source"); source != nil && config.Has(source) && overADS(config.Get(source).Message()) {
		w.add(ExtensionConfig, m.Get(name).String(), name)
	}
}

func (w *referrer) add(t Type, name string, f protoreflect.FieldDescriptor) {
	if name == "" || w.seen[place{t, name}] {
		return
	}
	w.seen[place{t, name}] = true
	w.walk.at.push(f)
	w.found = append(w.found, Reference{t, name, w.walk.at.String()})
	w.walk.at.pop()
}
