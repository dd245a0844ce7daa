package shape

import (
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protopath"
	"google.golang.org/protobuf/reflect/protorange"

	extauthzv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_authz/v3"
	extprocv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_proc/v3"
	jwtv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/jwt_authn/v3"
	luav3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/lua/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
)

// effect is what an HTTP filter may do to the route of a request. A request
// keeps the leaf of the authority and path that it came with. So filters may
// change these, or have the route chosen anew, but not both in one chain.
type effect uint8

const (
	none    effect = iota
	changes        // authority, path or any header
	clears         // the route that was chosen
	both
)

const httpFilters = "envoy.extensions.filters.http."

// effects are of the filters, by their types behind httpFilters, of which it
// is known (Envoy 1.36 to 1.40). All others are taken to do both. Where a
// filter is only known not to change authority and path, it is among those
// that clear. Routes may configure filters of the chain, too: what they could
// make a filter do counts.
var effects = map[string]effect{
	"adaptive_concurrency.v3.AdaptiveConcurrency":              none,
	"admission_control.v3.AdmissionControl":                    none,
	"alternate_protocols_cache.v3.FilterConfig":                none,
	"bandwidth_limit.v3.BandwidthLimit":                        none,
	"buffer.v3.Buffer":                                         none,
	"cdn_loop.v3.CdnLoopConfig":                                none,
	"compressor.v3.Compressor":                                 none,
	"cors.v3.Cors":                                             none,
	"csrf.v3.CsrfPolicy":                                       none,
	"decompressor.v3.Decompressor":                             none,
	"fault.v3.HTTPFault":                                       none,
	"file_system_buffer.v3.FileSystemBufferFilterConfig":       none,
	"grpc_stats.v3.FilterConfig":                               none,
	"grpc_web.v3.GrpcWeb":                                      none,
	"health_check.v3.HealthCheck":                              none,
	"kill_request.v3.KillRequest":                              none,
	"local_ratelimit.v3.LocalRateLimit":                        none,
	"original_src.v3.OriginalSrc":                              none,
	"rbac.v3.RBAC":                                             none,
	"router.v3.Router":                                         none,
	"set_metadata.v3.Config":                                   none,
	"stateful_session.v3.StatefulSession":                      none,
	"tap.v3.Tap":                                               none,
	"dynamic_forward_proxy.v3.FilterConfig":                    changes,
	"header_mutation.v3.HeaderMutation":                        changes,
	"ratelimit.v3.RateLimit":                                   changes,
	"api_key_auth.v3.ApiKeyAuth":                               clears,
	"basic_auth.v3.BasicAuth":                                  clears,
	"cache.v3.CacheConfig":                                     clears,
	"credential_injector.v3.CredentialInjector":                clears,
	"gcp_authn.v3.GcpAuthnFilterConfig":                        clears,
	"geoip.v3.Geoip":                                           clears,
	"grpc_field_extraction.v3.GrpcFieldExtractionConfig":       clears,
	"grpc_http1_bridge.v3.Config":                              clears,
	"header_to_metadata.v3.Config":                             clears,
	"ip_tagging.v3.IPTagging":                                  clears,
	"json_to_metadata.v3.JsonToMetadata":                       clears,
	"proto_message_extraction.v3.ProtoMessageExtractionConfig": clears,
	"rate_limit_quota.v3.RateLimitQuotaFilterConfig":           clears,
	"set_filter_state.v3.Config":                               clears,
	"thrift_to_metadata.v3.ThriftToMetadata":                   clears,
}

// writers are filters that write headers, or remove them, whose names are in
// their configuration.
var writers = map[string]bool{
	"api_key_auth.v3.ApiKeyAuth":                true,
	"basic_auth.v3.BasicAuth":                   true,
	"credential_injector.v3.CredentialInjector": true,
	"gcp_authn.v3.GcpAuthnFilterConfig":         true,
	"geoip.v3.Geoip":                            true,
	"header_to_metadata.v3.Config":              true,
	"ip_tagging.v3.IPTagging":                   true,
	"jwt_authn.v3.JwtAuthentication":            true,
}

// effectOf is what f may do with its configuration.
func effectOf(f *hcmv3.HttpFilter) effect {
	m, err := f.GetTypedConfig().UnmarshalNew()
	if err != nil {
		return both
	}
	name := strings.TrimPrefix(string(m.ProtoReflect().Descriptor().FullName()), httpFilters)
	e, known := effects[name]
	switch m := m.(type) {
	case *extauthzv3.ExtAuthz: // the service chooses which headers it sets
		if e = changes; m.ClearRouteCache {
			e = both
		}
	case *extprocv3.ExternalProcessor:
		if e = both; m.DisableClearRouteCache || m.RouteCacheAction == extprocv3.ExternalProcessor_RETAIN {
			e = changes
		}
	case *jwtv3.JwtAuthentication:
		e = none
		for _, p := range m.Providers {
			if p.ClearRouteCache {
				e = clears
			}
		}
	case *luav3.Lua:
		return luaEffect(m)
	default:
		if !known {
			return both
		}
	}
	if writers[name] && namesRouting(m) {
		return both
	}
	return e
}

// namesRouting reports whether a text in m, at any depth, is the name of a header
// that decides which leaf a request leads to.
func namesRouting(m proto.Message) bool {
	found := false
	err := protorange.Range(m.ProtoReflect(), func(v protopath.Values) error {
		if text, ok := v.Index(-1).Value.Interface().(string); ok {
			switch strings.ToLower(text) {
			case ":authority", ":path", "host", Header:
				found = true
				return protorange.Terminate
			}
		}
		return nil
	})
	return found || err != nil
}
