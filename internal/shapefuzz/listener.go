package shapefuzz

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	filelogv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/file/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
)

// variant is one of the listeners of a case.
type variant byte

const (
	plain  variant = 'p' // routes by the table as written
	split  variant = 's' // by its leaves
	former variant = 'f' // by its leaves, as the split before led to them
)

// variants are the listeners that a case has.
func (c *Case) variants() []variant {
	if c.Before == nil {
		return []variant{plain, split}
	}
	return []variant{plain, split, former}
}

// listenerName is what the n-th case's listener is called.
func listenerName(n int, v variant) string { return fmt.Sprintf("%c%03d", v, n) }

// listener makes one of the listeners of a case, which logs into dir.
func (c *Case) listener(n int, v variant, dir string) (*listenerv3.Listener, error) {
	written, err := resource.New(c.written(listenerName(n, v), dir))
	if err != nil {
		return nil, err
	}
	if v == plain {
		return inlined(written, func(m *hcmv3.HttpConnectionManager) {
			m.RouteSpecifier = &hcmv3.HttpConnectionManager_RouteConfig{RouteConfig: c.Table}
		})
	}
	by := c.Split
	if v == former {
		by = c.Before
	}
	rewritten, uses := shape.Listener(written, func(string) *shape.Split { return by })
	if len(uses) != 1 || uses[0].Left != "" {
		return nil, fmt.Errorf("seed %d: the listener is left as written: %+v", c.Seed, uses)
	}
	return inlined(rewritten, func(m *hcmv3.HttpConnectionManager) {
		m.GetScopedRoutes().ConfigSpecifier = &hcmv3.ScopedRoutes_ScopedRouteConfigurationsList{ScopedRouteConfigurationsList: c.scopes()}
	})
}

// written is a listener as a user writes it.
func (c *Case) written(name, dir string) *listenerv3.Listener {
	m := &hcmv3.HttpConnectionManager{
		StatPrefix: "web",
		RouteSpecifier: &hcmv3.HttpConnectionManager_Rds{Rds: &hcmv3.Rds{RouteConfigName: tableName, ConfigSource: &corev3.ConfigSource{
			ConfigSourceSpecifier: &corev3.ConfigSource_Ads{Ads: &corev3.AggregatedConfigSource{}}, ResourceApiVersion: corev3.ApiVersion_V3}}},
		UpgradeConfigs:    []*hcmv3.HttpConnectionManager_UpgradeConfig{{UpgradeType: "websocket"}, {UpgradeType: "CONNECT"}},
		GenerateRequestId: wrapperspb.Bool(false),
		// Of connections on which Envoy has refused a request.
		DelayedCloseTimeout: durationpb.New(10 * time.Millisecond),
		Tracing:             &hcmv3.HttpConnectionManager_Tracing{},
		AccessLog:           []*accesslogv3.AccessLog{accessLog(filepath.Join(dir, name+".log"))},
	}
	for _, filter := range filterNames {
		m.HttpFilters = append(m.HttpFilters, &hcmv3.HttpFilter{Name: filter,
			ConfigType: &hcmv3.HttpFilter_TypedConfig{TypedConfig: packed(filters[filter].chain)}})
	}
	m.HttpFilters = append(m.HttpFilters, &hcmv3.HttpFilter{Name: "router",
		ConfigType: &hcmv3.HttpFilter_TypedConfig{TypedConfig: packed(&routerv3.Router{})}})
	c.Mode.apply(m)
	return &listenerv3.Listener{
		Name: name,
		Address: &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
			Address: "127.0.0.1", PortSpecifier: &corev3.SocketAddress_PortValue{}}}},
		FilterChains: []*listenerv3.FilterChain{{Filters: []*listenerv3.Filter{{Name: "http",
			ConfigType: &listenerv3.Filter_TypedConfig{TypedConfig: packed(m)}}}}},
	}
}

// accessLog writes what is compared of each request, and its id.
func accessLog(path string) *accesslogv3.AccessLog {
	fields := map[string]*structpb.Value{"id": structpb.NewStringValue("%REQ(" + idHeader + ")%")}
	for name, operator := range map[string]string{
		"code": "RESPONSE_CODE", "details": "RESPONSE_CODE_DETAILS", "flags": "RESPONSE_FLAGS", "route": "ROUTE_NAME",
		"virtual": "VIRTUAL_CLUSTER_NAME", "cluster": "UPSTREAM_CLUSTER", "attempts": "UPSTREAM_REQUEST_ATTEMPT_COUNT",
		"authority": "REQ(:authority)", "path": "REQ(:path)", "method": "REQ(:method)", "met": "REQ(x-met)", "host": "RESP(x-host)",
		"protocol": "PROTOCOL", "sent": "BYTES_SENT", "received": "BYTES_RECEIVED",
	} {
		fields[name] = structpb.NewStringValue("%" + operator + "%")
	}
	return &accesslogv3.AccessLog{Name: "file", ConfigType: &accesslogv3.AccessLog_TypedConfig{TypedConfig: packed(&filelogv3.FileAccessLog{
		Path: path,
		AccessLogFormat: &filelogv3.FileAccessLog_LogFormat{LogFormat: &corev3.SubstitutionFormatString{
			Format: &corev3.SubstitutionFormatString_JsonFormat{JsonFormat: &structpb.Struct{Fields: fields}}}},
	})}}
}

// inlined is a listener with another source of routes.
func inlined(r *resource.Resource, change func(*hcmv3.HttpConnectionManager)) (*listenerv3.Listener, error) {
	message, err := r.Message()
	if err != nil {
		return nil, err
	}
	l := message.(*listenerv3.Listener)
	config, m := l.FilterChains[0].Filters[0].GetTypedConfig(), new(hcmv3.HttpConnectionManager)
	if err := config.UnmarshalTo(m); err != nil {
		return nil, err
	}
	change(m)
	return l, config.MarshalFrom(m)
}

// scopes are the leaves with the keys that lead to them, as shape.Scope says.
func (c *Case) scopes() *hcmv3.ScopedRouteConfigurationsList {
	list := new(hcmv3.ScopedRouteConfigurationsList)
	for _, id := range slices.Sorted(maps.Keys(c.Leaves)) {
		message, err := shape.Scope(tableName, id).Message()
		if err != nil {
			panic(err) // INVARIANT: the compiler's own
		}
		scope := message.(*routev3.ScopedRouteConfiguration)
		scope.RouteConfigurationName, scope.RouteConfiguration = "", c.Leaves[id]
		list.ScopedRouteConfigurations = append(list.ScopedRouteConfigurations, scope)
	}
	return list
}
