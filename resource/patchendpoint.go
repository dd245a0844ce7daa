package resource

import (
	"bytes"
	"net"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
)

// endpointPatch is what an endpoint operation says; nil is not given.
type endpointPatch struct {
	address  string
	host     string
	port     uint32
	weight   *uint32
	health   *corev3.HealthStatus
	priority *uint32
	locality *corev3.Locality
}

// putEndpoint adds an endpoint, or changes one that is there.
func (p *patcher) putEndpoint(n *yaml.Node, _ []*yaml.Node) {
	want, ok := p.readEndpoint(n)
	if !ok {
		return
	}
	s := p.splice("endpoints")
	at, group, i := p.findEndpoint(s, want.address)
	if group == nil {
		var exists bool
		at, group, exists = p.groupFor(s, n, want)
		if group == nil {
			return
		}
		i = len(group.LbEndpoints)
		group.LbEndpoints = append(group.LbEndpoints, newEndpoint(want))
		if !exists {
			at = s.endOf()
		}
	} else if want.locality != nil && !proto.Equal(want.locality, group.GetLocality()) || want.priority != nil && *want.priority != group.Priority {
		p.fail(n, "endpoint %s is in another locality or priority: remove it there first", want.address)
		return
	}
	e := group.LbEndpoints[i]
	if want.weight != nil {
		e.LoadBalancingWeight = wrapperspb.UInt32(*want.weight)
	}
	if want.health != nil {
		e.HealthStatus = *want.health
	}
	p.putGroup(s, n, at, group)
}

// putGroup writes a locality back.
func (p *patcher) putGroup(s *splice, n *yaml.Node, at spot, group *endpointv3.LocalityLbEndpoints) {
	b, ok := p.encode(n, group.ProtoReflect())
	if !ok {
		return
	}
	if b == nil {
		b = []byte{}
	}
	s.replace(at, b)
	p.now = s.resource(p.now)
}

// removeEndpoint takes an endpoint out; its locality stays, with its weight.
func (p *patcher) removeEndpoint(n *yaml.Node, _ []*yaml.Node) {
	if n.Kind != yaml.ScalarNode || !isText(n) {
		p.fail(n, `remove_endpoint: expected an address such as "10.0.0.1:80", got %s`, p.describe(n))
		return
	}
	s := p.splice("endpoints")
	at, group, i := p.findEndpoint(s, n.Value)
	if group == nil {
		p.fail(n, "remove_endpoint: there is no endpoint %q", n.Value)
		return
	}
	group.LbEndpoints = slices.Delete(group.LbEndpoints, i, i+1)
	p.putGroup(s, n, at, group)
}

// findEndpoint is the locality that holds an address, parsed, and the
// endpoint's index in it; nil if there is none. Only localities whose bytes
// hold the host's name are parsed.
func (p *patcher) findEndpoint(s *splice, address string) (at spot, group *endpointv3.LocalityLbEndpoints, index int) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return at, nil, 0
	}
	at, _ = s.find(func(_ int, content []byte) bool {
		if !bytes.Contains(content, []byte(host)) {
			return false
		}
		p.parsed += len(content)
		var g endpointv3.LocalityLbEndpoints
		if proto.Unmarshal(content, &g) != nil {
			return false
		}
		for i, e := range g.LbEndpoints {
			if sa := e.GetEndpoint().GetAddress().GetSocketAddress(); sa != nil && addressOf(sa.ProtoReflect()) == address {
				group, index = &g, i
				return true
			}
		}
		return false
	})
	return at, group, index
}

// groupFor is where a new endpoint goes: the locality and priority that it
// names, or the only one. A new one is made if it names one that is not there.
func (p *patcher) groupFor(s *splice, n *yaml.Node, want endpointPatch) (at spot, group *endpointv3.LocalityLbEndpoints, exists bool) {
	named := want.locality != nil || want.priority != nil
	var priority uint32
	if want.priority != nil {
		priority = *want.priority
	}
	var found []*endpointv3.LocalityLbEndpoints
	var spots []spot
	for index := 0; ; index++ {
		here, ok := s.find(func(i int, _ []byte) bool { return i == index })
		if !ok {
			break
		}
		var g endpointv3.LocalityLbEndpoints
		p.parsed += len(s.content(here))
		if proto.Unmarshal(s.content(here), &g) != nil {
			continue
		}
		if !named || g.Priority == priority && (want.locality == nil || proto.Equal(g.GetLocality(), want.locality)) {
			found, spots = append(found, &g), append(spots, here)
		}
	}
	switch {
	case len(found) == 1:
		return spots[0], found[0], true
	case len(found) > 1:
		p.fail(n, "endpoint %s is new, and %d localities fit: say which, by locality and priority", want.address, len(found))
		return at, nil, false
	}
	return at, &endpointv3.LocalityLbEndpoints{Locality: want.locality, Priority: priority}, false
}

func newEndpoint(want endpointPatch) *endpointv3.LbEndpoint {
	return &endpointv3.LbEndpoint{HostIdentifier: &endpointv3.LbEndpoint_Endpoint{Endpoint: &endpointv3.Endpoint{
		Address: &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
			Address: want.host, PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: want.port},
		}}},
	}}}
}

// readEndpoint reads {address: …, weight: …, health: …, …}.
func (p *patcher) readEndpoint(n *yaml.Node) (want endpointPatch, ok bool) {
	if n.Kind != yaml.MappingNode {
		p.fail(n, `endpoint: expected a mapping with an address such as "10.0.0.1:80", got %s`, p.describe(n))
		return want, false
	}
	before := len(p.problems)
	p.at = append(p.at[:0], step{field: "endpoint"})
	defer func() { p.at = p.at[:0] }()
	pairs := p.pairs(n)
	lb := (&endpointv3.LbEndpoint{}).ProtoReflect().Descriptor().Fields()
	for i := 0; i+1 < len(pairs); i += 2 {
		key, value := target(pairs[i]), target(pairs[i+1])
		switch key.Value {
		case "address":
			want.address = value.Value
		case "weight":
			if v, good := unsigned(value, 32); good && v > 0 {
				w := uint32(v)
				want.weight = &w
			} else {
				p.fail(value, "weight: expected a whole number from 1 to 4294967295, got %s", p.describe(value))
			}
		case "health":
			if v, good := p.enum(value, lb.ByName("health_status")); good {
				h := corev3.HealthStatus(v.Enum())
				want.health = &h
			}
		case "priority":
			if v, good := unsigned(value, 32); good {
				w := uint32(v)
				want.priority = &w
			} else {
				p.fail(value, "priority: expected a whole number from 0, got %s", p.describe(value))
			}
		case "locality":
			want.locality = &corev3.Locality{}
			p.message(value, want.locality.ProtoReflect())
		default:
			p.fail(key, "unknown field %q: expected address, weight, health, priority, locality", key.Value)
		}
	}
	host, port, err := net.SplitHostPort(want.address)
	number, portErr := strconv.ParseUint(port, 10, 16)
	if err != nil || portErr != nil || host == "" {
		p.fail(n, `address: expected an address and port such as "10.0.0.1:80", got %q`, want.address)
	}
	want.host, want.port = host, uint32(number)
	return want, len(p.problems) == before
}
