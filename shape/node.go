package shape

import (
	"fmt"
	"slices"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
)

// needed are the extensions of an Envoy that its listeners then have.
var needed = []string{
	"envoy.filters.network.http_connection_manager",
	mutationExtension,
	"envoy.built_in_formatters.cel",
	"envoy.srds_factory.default",
}

// Asks reports whether Eligible looks for an extension of this name.
// It allocates nothing.
func Asks(extension []byte) bool {
	return slices.ContainsFunc(needed, func(name string) bool { return name == string(extension) })
}

// oldest is the minor version of the oldest Envoy 1 that was tested.
const oldest = 36

// Eligible says why a client gets its tables as written, as a sentence for
// users; "" if it can have split ones: it is an Envoy from 1.36 on, and lists
// all that it needs for that as built in. Safe for concurrent use.
func Eligible(node *corev3.Node) (reason string) {
	if name := node.GetUserAgentName(); name != "envoy" {
		return fmt.Sprintf("It is no Envoy: it calls itself %q.", name)
	}
	version := node.GetUserAgentBuildVersion().GetVersion()
	if major, minor := version.GetMajorNumber(), version.GetMinorNumber(); major < 1 || major == 1 && minor < oldest {
		return fmt.Sprintf("It is Envoy %d.%d.%d, and scoped tables need 1.%d or later.", major, minor, version.GetPatch(), oldest)
	}
	for _, name := range needed {
		if !slices.ContainsFunc(node.GetExtensions(), func(e *corev3.Extension) bool { return e.GetName() == name && !e.GetDisabled() }) {
			return fmt.Sprintf("This Envoy does not list the extension %s.", name)
		}
	}
	return ""
}
