package adopt

import (
	"fmt"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/proto"
)

// listeners moves the static listeners, and their routes into resources of
// their own.
func (m *mover) listeners() {
	all := m.static.Listeners
	m.static.Listeners = nil
	for i, l := range all {
		path := m.listenerPath(i)
		if why, stays := m.listenersStay[i]; stays {
			m.note(path, fmt.Sprintf("listener %q stays in the bootstrap: %s", l.Name, why))
			m.static.Listeners = append(m.static.Listeners, l)
		}
	}
	if !m.cfg.KeepRoutes {
		m.scopes = m.onlyScopes(all)
	}
	for i, l := range all {
		if _, stays := m.listenersStay[i]; !stays {
			m.listener(m.listenerPath(i), l)
		}
	}
}

func (m *mover) listener(path string, l *listenerv3.Listener) {
	m.dynamic(path, l)
	if !m.cfg.KeepRoutes {
		walk(path, l, func(at string, msg proto.Message) bool {
			h, ok := msg.(*hcmv3.HttpConnectionManager)
			if !ok {
				return false
			}
			switch {
			case h.GetRouteConfig() != nil:
				return m.routes(at, l.Name, h)
			case h.GetScopedRoutes() != nil:
				return m.scoped(at, h.GetScopedRoutes())
			}
			return false
		})
	}
	m.must(path, l)
}

// listenerName is a name for a listener that has none, by its address.
func listenerName(l *listenerv3.Listener) string {
	a := l.GetAddress().GetSocketAddress()
	switch {
	case a.GetNamedPort() != "":
		return fmt.Sprintf("listener_%s_%s", a.GetAddress(), a.GetNamedPort())
	case a != nil && a.GetProtocol() != 0:
		return fmt.Sprintf("listener_%s_%d_udp", a.GetAddress(), a.GetPortValue())
	case a != nil:
		return fmt.Sprintf("listener_%s_%d", a.GetAddress(), a.GetPortValue())
	case l.GetAddress().GetPipe() != nil:
		return "listener_" + l.GetAddress().GetPipe().GetPath()
	}
	return "listener"
}
