package shape

import "google.golang.org/protobuf/encoding/protowire"

// Numbers of the fields that are read on the wire; a test compares them with
// the descriptors.
const (
	tableName     = 1 // RouteConfiguration.name
	tableRemovals = 8 // RouteConfiguration.request_headers_to_remove

	hostDomains = 2 // VirtualHost.domains
	hostRoutes  = 3 // VirtualHost.routes

	routeMatch = 1  // Route.match
	routeName  = 14 // Route.name

	matchPrefix    = 1  // RouteMatch.prefix
	matchPath      = 2  // RouteMatch.path
	matchCase      = 4  // RouteMatch.case_sensitive
	matchSeparated = 14 // RouteMatch.path_separated_prefix

	boolValue = 1 // BoolValue.value

	pluginExtension = 1 // ClusterSpecifierPlugin.extension
	extensionConfig = 2 // TypedExtensionConfig.typed_config
	anyURL          = 1 // Any.type_url

	scopeName   = 1 // ScopedRouteConfiguration.name
	scopeTable  = 2 // ScopedRouteConfiguration.route_configuration_name
	scopeKey    = 3 // ScopedRouteConfiguration.key
	keyFragment = 1 // ScopedRouteConfiguration.Key.fragments
	fragment    = 1 // ScopedRouteConfiguration.Key.Fragment.string_key
)

// field is one of a marshalled message.
type field struct {
	number protowire.Number
	whole  []byte // with tag
	value  []byte // the content of those with a length, the whole value of others
}

// fields goes through a marshalled message, up to where it is damaged.
func fields(b []byte) func(func(field) bool) {
	return func(yield func(field) bool) {
		for len(b) > 0 {
			number, typ, n := protowire.ConsumeTag(b)
			if n < 0 {
				return
			}
			size := protowire.ConsumeFieldValue(number, typ, b[n:])
			if size < 0 {
				return
			}
			f := field{number, b[:n+size], b[n : n+size]}
			if typ == protowire.BytesType {
				f.value, _ = protowire.ConsumeBytes(f.value)
			}
			if !yield(f) {
				return
			}
			b = b[n+size:]
		}
	}
}
