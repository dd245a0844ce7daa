package shape

import (
	"bytes"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	luav3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/lua/v3"
)

// luaOverride stands in what gives a Lua filter another script.
var luaOverride = []byte("envoy.extensions.filters.http.lua.v3.LuaPerRoute")

const ownScript = "has a Lua script of its own, which may have the route chosen anew, or keep a state for all of the table"

// tameOverride reports whether an entry of typed_per_filter_config, a name and a
// message, switches a Lua filter off or chooses one of its own scripts, for which
// the listener answers (luaEffect).
func tameOverride(entry []byte) bool {
	const value = 2
	for f := range fields(entry) {
		if f.number != value {
			continue
		}
		var config anypb.Any
		if proto.Unmarshal(f.value, &config) != nil {
			return false
		}
		return tameConfig(&config)
	}
	return false
}

// tameConfig is tameOverride for the message, which may be wrapped.
func tameConfig(config *anypb.Any) bool {
	if config.MessageIs((*routev3.FilterConfig)(nil)) {
		var wrapper routev3.FilterConfig
		return config.UnmarshalTo(&wrapper) == nil && wrapper.Config != nil && tameConfig(wrapper.Config)
	}
	var lua luav3.LuaPerRoute
	if config.UnmarshalTo(&lua) != nil {
		return false
	}
	_, own := lua.Override.(*luav3.LuaPerRoute_SourceCode)
	return !own
}

// weights judges RouteAction.weighted_clusters: of what stands with its
// clusters, scripts could lead elsewhere, and none is looked into.
func weights(content []byte) string {
	switch {
	case bytes.Contains(content, luaOverride):
		return ownScript
	case limits(content):
		return ownBucket
	}
	return ""
}
