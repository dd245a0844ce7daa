package adopt

import (
	"cmp"
	"fmt"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane/resource"
)

// routes moves h's inline routes. It reports whether h has changed.
func (m *mover) routes(path, listener string, h *hcmv3.HttpConnectionManager) bool {
	path += ".route_config"
	if why := m.fixed(h.GetRouteConfig(), listener); why != "" {
		m.note(path, "the routes stay in the listener: "+why)
		return false
	}
	name := m.route(path, listener, h.GetRouteConfig())
	h.RouteSpecifier = &hcmv3.HttpConnectionManager_Rds{Rds: &hcmv3.Rds{RouteConfigName: name, ConfigSource: overADS()}}
	return true
}

// fixed says why inline routes cannot move, "" if they can.
func (m *mover) fixed(inline *routev3.RouteConfiguration, otherName string) string {
	if inline.Vhds != nil {
		return "with vhds they would begin to load virtual hosts"
	}
	rc := proto.CloneOf(inline)
	rc.Name = cmp.Or(rc.Name, otherName)
	return m.refused(rc)
}

// route makes a resource of inline routes that are not fixed, under their own
// name or, where they have none, another; numbered where it is taken.
func (m *mover) route(path, otherName string, inline *routev3.RouteConfiguration) (name string) {
	rc := proto.CloneOf(inline)
	var why string
	free(cmp.Or(rc.Name, otherName), func(candidate string) bool {
		rc.Name = candidate
		var ok bool
		why, ok = m.add(rc)
		return !ok && m.made[place{resource.Route, candidate}] != nil
	})
	if m.made[place{resource.Route, rc.Name}] == nil {
		m.problem(path, why) // its name has grown too long by its number
	}
	if rc.Name != inline.Name {
		m.note(path, fmt.Sprintf("the route configuration is now called %q", rc.Name))
	}
	return rc.Name
}
