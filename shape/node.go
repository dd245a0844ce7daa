package shape

import (
	"fmt"
	"slices"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
)

// needed are the extensions that an Envoy must list for split tables.
var needed = []string{mutationExtension}

// Eligible says why an Envoy gets its tables as written, as a sentence for
// users; "" if it can have split ones.
func Eligible(node *corev3.Node) (reason string) {
	for _, name := range needed {
		if !slices.ContainsFunc(node.GetExtensions(), func(e *corev3.Extension) bool { return e.GetName() == name }) {
			return fmt.Sprintf("It does not list the extension %s.", name)
		}
	}
	return ""
}
