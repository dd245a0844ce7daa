package shape

import (
	"testing"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
)

func TestFieldNumbersAreThoseOfTheDescriptors(t *testing.T) {
	for _, c := range []struct {
		m      proto.Message
		name   protoreflect.Name
		number protowire.Number
	}{
		{&routev3.RouteConfiguration{}, "name", tableName},
		{&routev3.RouteConfiguration{}, "request_headers_to_remove", tableRemovals},
		{&routev3.VirtualHost{}, "domains", hostDomains},
		{&routev3.VirtualHost{}, "routes", hostRoutes},
		{&routev3.Route{}, "match", routeMatch},
		{&routev3.Route{}, "name", routeName},
		{&routev3.RouteMatch{}, "prefix", matchPrefix},
		{&routev3.RouteMatch{}, "path", matchPath},
		{&routev3.RouteMatch{}, "case_sensitive", matchCase},
		{&routev3.RouteMatch{}, "path_separated_prefix", matchSeparated},
		{&wrapperspb.BoolValue{}, "value", boolValue},
		{&routev3.ClusterSpecifierPlugin{}, "extension", pluginExtension},
		{&corev3.TypedExtensionConfig{}, "typed_config", extensionConfig},
		{&anypb.Any{}, "type_url", anyURL},
		{&routev3.ScopedRouteConfiguration{}, "name", scopeName},
		{&routev3.ScopedRouteConfiguration{}, "route_configuration_name", scopeTable},
		{&routev3.ScopedRouteConfiguration{}, "key", scopeKey},
		{&routev3.ScopedRouteConfiguration_Key{}, "fragments", keyFragment},
		{&routev3.ScopedRouteConfiguration_Key_Fragment{}, "string_key", fragment},
	} {
		if f := c.m.ProtoReflect().Descriptor().Fields().ByNumber(c.number); f == nil || f.Name() != c.name {
			t.Errorf("%s %d is not %s", c.m.ProtoReflect().Descriptor().FullName(), c.number, c.name)
		}
	}
}

func TestEachFieldOfATableHasARule(t *testing.T) {
	for _, c := range []struct {
		m     proto.Message
		rules rules
	}{
		{&routev3.RouteConfiguration{}, tableRules},
		{&routev3.VirtualHost{}, hostRules},
		{&routev3.Route{}, routeRules},
		{&routev3.RouteMatch{}, matchRules},
		{&routev3.RouteAction{}, actionRules},
	} {
		md := c.m.ProtoReflect().Descriptor()
		for i := range md.Fields().Len() {
			f := md.Fields().Get(i)
			if _, ok := c.rules[f.Number()]; !ok {
				t.Errorf("%s: no rule says whether tables with it may be split", f.FullName())
			}
		}
		for number, r := range c.rules {
			if md.Fields().ByNumber(number) == nil {
				t.Errorf("%s has no field %d", md.FullName(), number)
			}
			said := 0
			for _, one := range []bool{r.safe != "", r.whole != "", r.check != nil} {
				if one {
					said++
				}
			}
			if said != 1 {
				t.Errorf("%s %d: a rule says one thing, not %d", md.FullName(), number, said)
			}
		}
	}
}
