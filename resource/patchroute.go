package resource

import (
	"strconv"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protowire"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
)

// routeName is the number of Route.name.
const routeName = 14

// routeNameOf reads a route's name out of its canonical bytes.
func routeNameOf(b []byte) []byte {
	for len(b) > 0 {
		number, wire, n := protowire.ConsumeTag(b)
		size := protowire.ConsumeFieldValue(number, wire, b[max(n, 0):])
		if n < 0 || size < 0 {
			return nil
		}
		if number == routeName && wire == protowire.BytesType {
			name, _ := protowire.ConsumeBytes(b[n:])
			return name
		}
		b = b[n+size:]
	}
	return nil
}

// routeAt finds a route by name, or by index when n is a number.
func (p *patcher) routeAt(s *splice, n *yaml.Node, what string) (spot, bool) {
	index := -1
	if n.Tag == "!!int" {
		if i, err := strconv.Atoi(n.Value); err == nil {
			index = i
		}
	} else if n.Kind != yaml.ScalarNode || !isText(n) || n.Value == "" {
		p.fail(n, "%s: expected a route's name or index, got %s", what, p.describe(n))
		return spot{}, false
	}
	at, found := s.routeNumber(index)
	if index < 0 {
		at, found = s.findRoute(n.Value, -1)
	}
	if !found {
		p.fail(n, "%s: the host has no such route, %s; it has %d routes", what, p.describe(n), at.index)
	}
	return at, found
}

// putRoute adds, replaces or moves a route.
func (p *patcher) putRoute(n *yaml.Node, pairs []*yaml.Node) {
	if len(pairs) > 4 {
		p.fail(n, "route takes only one of before, after, replace")
		return
	}
	before := len(p.problems)
	m := &routev3.Route{}
	p.at = append(p.at[:0], step{field: "route"})
	p.message(n, m.ProtoReflect())
	if len(p.problems) > before {
		return
	}
	b, ok := p.encode(n, m.ProtoReflect())
	p.at = p.at[:0]
	if !ok {
		return
	}
	if b == nil {
		b = []byte{}
	}
	s := p.splice("routes")
	if where := lookup(pairs, "replace"); where != nil {
		if at, ok := p.routeAt(s, where, "replace"); ok && p.onlyOne(s, n, m.Name, at.index) {
			s.replace(at, b)
			p.now = s.resource(p.now)
		}
		return
	}
	old, exists := spot{}, false
	if m.Name != "" {
		old, exists = s.findRoute(m.Name, -1)
	}
	place, keyword := lookup(pairs, "before"), "before"
	if place == nil {
		place, keyword = lookup(pairs, "after"), "after"
	}
	switch {
	case place == nil && exists:
		s.replace(old, b)
	case place == nil:
		s.replace(s.endOf(), b)
	default:
		anchor, ok := p.routeAt(s, place, keyword)
		if !ok {
			return
		}
		s.move(old, exists, anchor, keyword == "after", b)
	}
	p.now = s.resource(p.now)
}

// move inserts content before or after an anchor; what stood at old goes.
func (s *splice) move(old spot, exists bool, anchor spot, after bool, content []byte) {
	index := anchor.index
	if after {
		index++
	}
	if exists {
		if old.index < index {
			index--
		}
		s.replace(old, nil)
	}
	to, found := s.routeNumber(index)
	if !found {
		to = s.endOf()
	}
	to.end = to.start
	s.replace(to, content)
}

// onlyOne refuses a name that a route at another index has already.
func (p *patcher) onlyOne(s *splice, n *yaml.Node, name string, index int) bool {
	if name == "" {
		return true
	}
	at, twice := s.findRoute(name, index)
	if twice {
		p.fail(n, "route %d has the name %q already", at.index, name)
	}
	return !twice
}

func (p *patcher) removeRoute(n *yaml.Node, _ []*yaml.Node) {
	s := p.splice("routes")
	if at, ok := p.routeAt(s, n, "remove_route"); ok {
		s.replace(at, nil)
		p.now = s.resource(p.now)
	}
}
