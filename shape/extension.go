package shape

import (
	"bytes"
	"fmt"
	"slices"

	matcherv3 "github.com/cncf/xds/go/xds/type/matcher/v3"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/deltaplane/deltaplane/resource"
)

// pureSpecifiers choose a cluster by the request, the route and chance alone.
// The others run code of users, which sees Header and may keep a state of its
// own in each table that it stands in.
var pureSpecifiers = []resource.Type{
	"envoy.extensions.router.cluster_specifiers.matcher.v3.MatcherClusterSpecifier",
	"envoy.extensions.router.cluster_specifiers.priority_group.v3.PriorityGroupClusterSpecifier",
}

// specifierPlugin judges a ClusterSpecifierPlugin.
func specifierPlugin(content []byte) string {
	if t := typeAt(content, pluginExtension, extensionConfig, anyURL); !slices.Contains(pureSpecifiers, t) {
		return fmt.Sprintf("has a cluster specifier of type %q, which runs code that may keep a state for all of the table", t)
	}
	return ""
}

// typeAt is the type that a field of fields of a message names.
func typeAt(b []byte, numbers ...protowire.Number) resource.Type {
	for _, number := range numbers {
		var value []byte
		for f := range fields(b) {
			if f.number == number {
				value = f.value
			}
		}
		b = value
	}
	return resource.TypeOfURL(string(b))
}

// Configuration of filters, by which requests are routed again under another
// authority and path, or hosts are asked for on demand.
var (
	onDemand         = []byte("envoy.extensions.filters.http.on_demand.")
	responseRedirect = []byte("envoy.extensions.http.custom_response.redirect_policy.")
)

// buckets are filters whose configuration has a state where it stands: a token
// bucket for all requests of the table, the host or the route. In leaves there
// would be as many of them as have a copy.
var buckets = [][]byte{
	[]byte("envoy.extensions.filters.http.local_ratelimit."),
	[]byte("envoy.extensions.filters.http.bandwidth_limit."),
}

// limits reports whether a configuration has such a state.
func limits(content []byte) bool {
	return slices.ContainsFunc(buckets, func(name []byte) bool { return bytes.Contains(content, name) })
}

const ownBucket = "has a local rate or bandwidth limit of its own, which counts all its requests together"

// filterConfig judges an entry of typed_per_filter_config.
func filterConfig(content []byte) string {
	switch {
	case bytes.Contains(content, onDemand):
		return "configures the on-demand filter, which asks for virtual hosts by the name of the table"
	case bytes.Contains(content, responseRedirect):
		return "has custom responses that redirect: these are routed again under another authority and path"
	case bytes.Contains(content, luaOverride) && !tameOverride(content):
		return ownScript
	case limits(content):
		return ownBucket
	}
	return ""
}

// pathParameters judges RouteConfiguration.ignore_path_parameters_in_path_matching.
// Envoy (1.40) leaves them out of each segment: "/a;v=1/b" matches "/a/b",
// but does not stand there in the order of paths.
func pathParameters(content []byte) string {
	if v, _ := protowire.ConsumeVarint(content); v != 0 {
		return "ignores path parameters, so that a path is not found where it stands among others"
	}
	return ""
}

// redirectAction judges RouteAction.internal_redirect_action.
func redirectAction(content []byte) string {
	if v, _ := protowire.ConsumeVarint(content); v != 0 {
		return redirects
	}
	return ""
}

// matcherTree judges VirtualHost.matcher: the routes in it. It stands with its
// host in each leaf, whatever paths it looks at.
func matcherTree(content []byte) string {
	m := &matcherv3.Matcher{}
	if err := proto.Unmarshal(content, m); err != nil {
		return "has a matcher that cannot be read"
	}
	return nestedRoutes(m.ProtoReflect(), 0)
}

// maxDepth is how deep a matcher's messages are followed.
const maxDepth = 100

// nestedRoutes judges the routes anywhere in m.
func nestedRoutes(m protoreflect.Message, depth int) (reason string) {
	if depth > maxDepth {
		return "has a matcher that is too deep to be read"
	}
	if packed, ok := m.Interface().(*anypb.Any); ok {
		inner, err := packed.UnmarshalNew()
		if err != nil {
			return fmt.Sprintf("has a matcher with %s, which is not known", packed.GetTypeUrl())
		}
		return nestedRoutes(inner.ProtoReflect(), depth+1)
	}
	if m.Descriptor().FullName() == "envoy.config.route.v3.Route" {
		b, err := proto.Marshal(m.Interface())
		if err != nil {
			return "has a matcher that cannot be read"
		}
		return routeRules.content(b)
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsMap() && f.MapValue().Message() != nil:
			v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
				reason = nestedRoutes(v.Message(), depth+1)
				return reason == ""
			})
		case f.IsList() && f.Message() != nil:
			for i := 0; i < v.List().Len() && reason == ""; i++ {
				reason = nestedRoutes(v.List().Get(i).Message(), depth+1)
			}
		case !f.IsMap() && !f.IsList() && f.Message() != nil:
			reason = nestedRoutes(v.Message(), depth+1)
		}
		return reason == ""
	})
	return reason
}
