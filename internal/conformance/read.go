package conformance

import (
	"fmt"
	"strconv"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	bufferv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/buffer/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	runtimev3 "github.com/envoyproxy/go-control-plane/envoy/service/runtime/v3"
	"google.golang.org/protobuf/types/known/anypb"
)

// read finds out what Build once put into body: its own name and content.
func read(body *anypb.Any) (name string, content int, err error) {
	m, err := body.UnmarshalNew()
	if err != nil {
		return "", 0, fmt.Errorf("body of a resource: %w", err)
	}
	switch m := m.(type) {
	case *clusterv3.Cluster:
		return m.Name, int(m.GetConnectTimeout().GetSeconds()), nil
	case *endpointv3.ClusterLoadAssignment:
		return m.ClusterName, endpointContent(m), nil
	case *listenerv3.Listener:
		return m.Name, int(m.GetAddress().GetSocketAddress().GetPortValue()), nil
	case *routev3.RouteConfiguration:
		if len(m.VirtualHosts) > 0 {
			return m.Name, hostContent(m.VirtualHosts[0]), nil
		}
		return m.Name, int(m.GetMaxDirectResponseBodySizeBytes().GetValue()), nil
	case *routev3.VirtualHost:
		return m.Name, hostContent(m), nil
	case *routev3.ScopedRouteConfiguration:
		n := 0
		for _, f := range m.GetKey().GetFragments() {
			n, err = strconv.Atoi(f.GetStringKey())
		}
		return m.Name, n, err
	case *tlsv3.Secret:
		n, err := strconv.Atoi(m.GetGenericSecret().GetSecret().GetInlineString())
		return m.Name, n, err
	case *runtimev3.Runtime:
		return m.Name, int(m.GetLayer().GetFields()["content"].GetNumberValue()), nil
	case *corev3.TypedExtensionConfig:
		var b bufferv3.Buffer
		err := m.GetTypedConfig().UnmarshalTo(&b)
		return m.Name, int(b.GetMaxRequestBytes().GetValue()), err
	}
	return "", 0, fmt.Errorf("type %s was never asked for", body.TypeUrl)
}

func endpointContent(m *endpointv3.ClusterLoadAssignment) int {
	for _, locality := range m.Endpoints {
		for _, e := range locality.LbEndpoints {
			return int(e.GetEndpoint().GetAddress().GetSocketAddress().GetPortValue())
		}
	}
	return 0
}

func hostContent(h *routev3.VirtualHost) int {
	for _, r := range h.Routes {
		n, err := strconv.Atoi(r.Name)
		if err == nil {
			return n
		}
	}
	return 0
}

// ownName is the name inside body, "" when it cannot be read.
func ownName(body *anypb.Any) string {
	name, _, _ := read(body)
	return name
}
