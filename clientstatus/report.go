package clientstatus

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	adminv3 "github.com/envoyproxy/go-control-plane/envoy/admin/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	statusv3 "github.com/envoyproxy/go-control-plane/envoy/service/status/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/deltaplane/deltaplane/fleet"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
	"github.com/deltaplane/deltaplane/xds"
)

// perResource is what one takes in a response besides its texts and its
// content, in bytes.
const perResource = 128

// report is a response in the making.
type report struct {
	fleet    Fleet
	room     int
	contents bool

	nodes  map[string]*nodeReport
	masked map[*view.Resource]*anypb.Any // contents that several nodes share
}

// nodeReport is one node, over all of its streams.
type nodeReport struct {
	node      *corev3.Node
	refusals  map[resource.Type]*fleet.Refusal
	resources map[place]*statusv3.ClientConfig_GenericXdsConfig
}

// place is a resource's name among those of its type.
type place struct {
	typ  resource.Type
	name string
}

// add takes one stream in. The error is a gRPC status: the response has become
// too large, or ctx has ended.
func (r *report) add(ctx context.Context, i xds.Inspection) error {
	n := r.of(i.Node)
	if err := r.take(proto.Size(i.Node)); err != nil {
		return err
	}
	for _, t := range i.Types {
		if err := ctx.Err(); err != nil {
			return status.FromContextError(err).Err()
		}
		for known, standing := range t.Resources() {
			if err := r.resource(n, known, standing); err != nil {
				return err
			}
		}
	}
	return nil
}

// of finds a node's part.
func (r *report) of(node *corev3.Node) *nodeReport {
	if n := r.nodes[node.GetId()]; n != nil {
		return n
	}
	n := &nodeReport{node: node, refusals: map[resource.Type]*fleet.Refusal{}, resources: map[place]*statusv3.ClientConfig_GenericXdsConfig{}}
	if known, ok := r.fleet.Node(node.GetId()); ok {
		for _, t := range known.Types {
			n.refusals[t.Type] = t.Refusal
		}
	}
	if r.nodes == nil {
		r.nodes = map[string]*nodeReport{}
	}
	r.nodes[node.GetId()] = n
	return n
}

// resource adds one to a node. What another stream of the node has, too,
// stands there as it is where it is worst.
func (r *report) resource(n *nodeReport, known *view.Resource, standing xds.Standing) error {
	at := place{known.Type(), known.Name()}
	if other := n.resources[at]; other != nil {
		if worse(statusOf(standing), other.ConfigStatus) {
			r.stand(n, known, other, standing)
		}
		return nil
	}
	one := &statusv3.ClientConfig_GenericXdsConfig{
		TypeUrl: at.typ.URL(), Name: at.name, VersionInfo: known.Digest().String(),
	}
	r.stand(n, known, one, standing)
	size := perResource + len(one.TypeUrl) + len(one.Name) + len(one.ErrorState.GetDetails())
	if r.contents {
		one.XdsConfig = r.content(known)
		size += len(one.XdsConfig.GetValue())
	}
	n.resources[at] = one
	return r.take(size)
}

// stand says how the client stands to a resource, and for a refused one why.
func (r *report) stand(n *nodeReport, known *view.Resource, one *statusv3.ClientConfig_GenericXdsConfig, standing xds.Standing) {
	one.ConfigStatus, one.ErrorState = statusOf(standing), nil
	if refusal := n.refusals[known.Type()]; standing == xds.StandingRefused && refusal != nil {
		one.ErrorState = &adminv3.UpdateFailureState{
			Details: refusal.Detail, LastUpdateAttempt: timestamppb.New(refusal.Time), VersionInfo: one.VersionInfo,
		}
	}
}

func statusOf(s xds.Standing) statusv3.ConfigStatus {
	switch s {
	case xds.StandingHeld:
		return statusv3.ConfigStatus_SYNCED
	case xds.StandingSent:
		return statusv3.ConfigStatus_STALE
	case xds.StandingUnsent:
		return statusv3.ConfigStatus_NOT_SENT
	case xds.StandingRefused:
		return statusv3.ConfigStatus_ERROR
	}
	return statusv3.ConfigStatus_UNKNOWN
}

// worse orders what tells of trouble.
func worse(a, b statusv3.ConfigStatus) bool {
	order := []statusv3.ConfigStatus{
		statusv3.ConfigStatus_SYNCED, statusv3.ConfigStatus_STALE, statusv3.ConfigStatus_NOT_SENT, statusv3.ConfigStatus_ERROR,
	}
	return slices.Index(order, a) > slices.Index(order, b)
}

// content is a resource without its secrets, made once for all who have it;
// nil for bytes of a newer build, as nobody can say what in them is secret.
func (r *report) content(known *view.Resource) *anypb.Any {
	if c, ok := r.masked[known]; ok {
		return c
	}
	if r.masked == nil {
		r.masked = map[*view.Resource]*anypb.Any{}
	}
	r.masked[known] = mask(known)
	return r.masked[known]
}

func mask(known *view.Resource) *anypb.Any {
	whole := &anypb.Any{TypeUrl: known.Type().URL(), Value: bytes.Join(known.Body(), nil)}
	m, err := whole.UnmarshalNew()
	if err != nil {
		return nil
	}
	packed, err := anypb.New(resource.Mask(m))
	if err != nil {
		return nil
	}
	return packed
}

// take asks for room for n bytes.
func (r *report) take(n int) error {
	if r.room -= n; r.room >= 0 {
		return nil
	}
	advice := "ask for fewer nodes (node_matchers)"
	if r.contents {
		advice += ", or without contents (exclude_resource_contents)"
	}
	return status.Error(codes.ResourceExhausted, "the answer becomes too large: "+advice)
}

// response lists the nodes by id, and the resources of each in the order of
// serving and by name.
func (r *report) response() *statusv3.ClientStatusResponse {
	response := &statusv3.ClientStatusResponse{}
	for _, n := range r.nodes {
		config := &statusv3.ClientConfig{Node: n.node}
		for _, one := range n.resources {
			config.GenericXdsConfigs = append(config.GenericXdsConfigs, one)
		}
		slices.SortFunc(config.GenericXdsConfigs, func(a, b *statusv3.ClientConfig_GenericXdsConfig) int {
			return cmp.Or(cmp.Compare(rank(a.TypeUrl), rank(b.TypeUrl)), cmp.Compare(a.Name, b.Name))
		})
		response.Config = append(response.Config, config)
	}
	slices.SortFunc(response.Config, func(a, b *statusv3.ClientConfig) int { return cmp.Compare(a.Node.GetId(), b.Node.GetId()) })
	return response
}

func rank(url string) int { return slices.Index(resource.Served(), resource.TypeOfURL(url)) }
