package shape

import (
	"fmt"

	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	mutationv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/http/early_header_mutation/header_mutation/v3"
)

// obstacle says why m must route by the table as written, as a sentence for
// users; "" if it need not.
func obstacle(m *hcmv3.HttpConnectionManager) string {
	for _, e := range m.EarlyHeaderMutationExtensions {
		if !e.TypedConfig.MessageIs((*mutationv3.HeaderMutation)(nil)) {
			return fmt.Sprintf("Its early header mutation %q may keep later ones from running.", e.Name)
		}
	}
	if reason := obstacleIn(m.HttpFilters); reason != "" {
		return reason
	}
	for _, upgrade := range m.UpgradeConfigs {
		if reason := obstacleIn(upgrade.Filters); reason != "" {
			return reason
		}
	}
	return ""
}

// obstacleIn is an obstacle in one chain of filters.
func obstacleIn(filters []*hcmv3.HttpFilter) string {
	var changing, clearing string
	for _, f := range filters {
		if f.GetConfigDiscovery() != nil {
			return fmt.Sprintf("Its HTTP filter %q comes by ECDS: it may change a request's authority or path and have its route chosen anew.", f.Name)
		}
		switch effectOf(f) {
		case both:
			return fmt.Sprintf("Its HTTP filter %q may change a request's authority or path and have its route chosen anew.", f.Name)
		case changes:
			changing = f.Name
		case clears:
			clearing = f.Name
		}
	}
	if changing != "" && clearing != "" {
		return fmt.Sprintf("Its HTTP filter %q may change a request's authority or path, and its filter %q may have the route chosen anew.", changing, clearing)
	}
	return ""
}
