package adopt

import (
	"fmt"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/proto"
)

// onlyScopes is the one list of scopes that the listeners have. Over SRDS an
// Envoy gets every scope for every listener, so that two different lists would
// become one: then none moves.
func (m *mover) onlyScopes(all []*listenerv3.Listener) *hcmv3.ScopedRouteConfigurationsList {
	var only *hcmv3.ScopedRouteConfigurationsList
	several := false
	for i, l := range all {
		walk(m.listenerPath(i), l, func(_ string, msg proto.Message) bool {
			s, ok := msg.(*hcmv3.ScopedRoutes)
			if !ok {
				return false
			}
			list := s.GetScopedRouteConfigurationsList()
			several = several || s.GetScopedRds() != nil || only != nil && !proto.Equal(only, list)
			only = list
			return false
		})
	}
	if several {
		return nil
	}
	return only
}

// scoped moves the scopes and their routes. It reports whether s has changed.
func (m *mover) scoped(path string, s *hcmv3.ScopedRoutes) bool {
	list := s.GetScopedRouteConfigurationsList()
	if list == nil {
		return false
	}
	path += ".scoped_routes.scoped_route_configurations_list"
	if m.scopes == nil {
		m.note(path, "the scopes stay in the listener: over SRDS every listener would get those of the others, too")
		return false
	}
	for _, scope := range list.ScopedRouteConfigurations {
		why := m.refused(scope)
		if scope.RouteConfiguration == nil {
			why = "its routes come from elsewhere"
		} else if why == "" {
			why = m.fixed(scope.RouteConfiguration, scope.Name)
		}
		if why != "" {
			m.note(path, fmt.Sprintf("the scopes stay in the listener: scope %q: %s", scope.Name, why))
			return false
		}
	}
	for i, inline := range list.ScopedRouteConfigurations {
		at := fmt.Sprintf("%s.scoped_route_configurations[%d]", path, i)
		scope := proto.CloneOf(inline)
		scope.RouteConfiguration, scope.RouteConfigurationName = nil, m.route(at+".route_configuration", scope.Name, inline.RouteConfiguration)
		m.must(at, scope)
	}
	s.RdsConfigSource = overADS()
	s.ConfigSpecifier = &hcmv3.ScopedRoutes_ScopedRds{ScopedRds: &hcmv3.ScopedRds{ScopedRdsConfigSource: overADS()}}
	return true
}
