package xds

import (
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/genproto/googleapis/rpc/status"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
)

// request is what a client says, in either variant of the protocol.
type request struct {
	node    *corev3.Node
	typeURL string
	nonce   string
	refusal *status.Status // nil: not a NACK

	// State of the world.
	version string
	names   []string

	// Delta.
	subscribe, unsubscribe []string
	initial                map[string]string
	resumed                *view.Held // the same, if it has been looked at already
}

func fromSotW(m *discoveryv3.DiscoveryRequest) request {
	return request{
		node: m.GetNode(), typeURL: m.GetTypeUrl(), nonce: m.GetResponseNonce(), refusal: m.GetErrorDetail(),
		version: m.GetVersionInfo(), names: m.GetResourceNames(),
	}
}

// deltaRequest is a DeltaDiscoveryRequest of which the codec may have taken
// initial_resource_versions.
type deltaRequest struct {
	discoveryv3.DeltaDiscoveryRequest
	resumed *view.Held // nil: it has not
}

func fromDelta(m *deltaRequest) request {
	return request{
		resumed: m.resumed, node: m.GetNode(), typeURL: m.GetTypeUrl(), nonce: m.GetResponseNonce(), refusal: m.GetErrorDetail(),
		subscribe: m.GetResourceNamesSubscribe(), unsubscribe: m.GetResourceNamesUnsubscribe(),
		initial: m.GetInitialResourceVersions(),
	}
}

// typeOf is the type that q is about, on a service for only that type, or on
// any if only is "". On a service of one type the field may be empty.
func (q request) typeOf(only resource.Type) (resource.Type, error) {
	switch {
	case q.typeURL == "" && only != "":
		return only, nil
	case q.typeURL == "":
		return "", invalid("type_url is empty: on the aggregated service each request needs one")
	case strings.Contains(q.typeURL, "envoy.api.v2."):
		return "", invalid("type_url %s: v2 is no longer spoken, set resource_api_version: V3", clip(q.typeURL))
	}
	t := resource.TypeOfURL(q.typeURL)
	if only != "" && t != only {
		return "", invalid("type_url %s: this service has %s only", clip(q.typeURL), only.URL())
	}
	return t, nil
}

// namesIn lists all names that q mentions.
func (q request) namesIn() [][]string { return [][]string{q.names, q.subscribe, q.unsubscribe} }
