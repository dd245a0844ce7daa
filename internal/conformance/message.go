package conformance

import (
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/deltaplane/deltaplane/resource"
)

// Request is a discovery request of either protocol.
type Request struct {
	URL         string // type URL as it goes on the wire; may be empty on typed services
	Node        *corev3.Node
	Names       []string          // state of the world: the whole subscription
	Subscribe   []string          // delta
	Unsubscribe []string          // delta
	Versions    map[string]string // delta: initial_resource_versions
	Version     string            // state of the world: the last accepted one
	Nonce       string
	Error       string // makes it a NACK
}

func (r Request) detail() *status.Status {
	if r.Error == "" {
		return nil
	}
	return &status.Status{Code: int32(codes.InvalidArgument), Message: r.Error}
}

func (r Request) message(delta bool) proto.Message {
	if delta {
		return &discoveryv3.DeltaDiscoveryRequest{
			Node: r.Node, TypeUrl: r.URL, ResponseNonce: r.Nonce, ErrorDetail: r.detail(),
			ResourceNamesSubscribe: r.Subscribe, ResourceNamesUnsubscribe: r.Unsubscribe,
			InitialResourceVersions: r.Versions,
		}
	}
	return &discoveryv3.DiscoveryRequest{
		Node: r.Node, TypeUrl: r.URL, ResponseNonce: r.Nonce, ErrorDetail: r.detail(),
		ResourceNames: r.Names, VersionInfo: r.Version,
	}
}

// Response is a discovery response of either protocol.
type Response struct {
	Type      resource.Type
	Nonce     string
	Version   string // version_info or system_version_info
	Resources []Item
	Removed   []string // delta only
	Size      int      // bytes of the serialized message
}

// Item is one resource of a response.
type Item struct {
	Name    string // the wrapper's in delta, the resource's own in state of the world
	Version string // delta only
	Aliases []string
	Body    *anypb.Any // nil when the wrapper is empty
	TTL     time.Duration
}

// heartbeat reports whether it only says that the resource lives on.
func (i Item) heartbeat() bool { return i.Body == nil && i.TTL > 0 }

// itemOf is a wrapped resource.
func itemOf(w *discoveryv3.Resource) Item {
	return Item{w.Name, w.Version, w.Aliases, w.Resource, w.Ttl.AsDuration()}
}

func responseOf(m proto.Message) *Response {
	switch m := m.(type) {
	case *discoveryv3.DeltaDiscoveryResponse:
		r := &Response{
			Type: resource.TypeOfURL(m.TypeUrl), Nonce: m.Nonce, Version: m.SystemVersionInfo,
			Removed: m.RemovedResources, Size: proto.Size(m),
		}
		for _, w := range m.Resources {
			r.Resources = append(r.Resources, itemOf(w))
		}
		return r
	case *discoveryv3.DiscoveryResponse:
		r := &Response{Type: resource.TypeOfURL(m.TypeUrl), Nonce: m.Nonce, Version: m.VersionInfo, Size: proto.Size(m)}
		for _, body := range m.Resources {
			var w discoveryv3.Resource
			if body.MessageIs(&w) && body.UnmarshalTo(&w) == nil {
				r.Resources = append(r.Resources, itemOf(&w))
				continue
			}
			r.Resources = append(r.Resources, Item{Name: ownName(body), Body: body})
		}
		return r
	}
	return nil
}
