package xds

import (
	"slices"

	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
)

// rewarm has the endpoints of clusters in p sent (again): Envoy warms a new
// or modified EDS cluster until it gets them, and does not ask for a name
// that it has already subscribed to (envoy #13009, #47302).
func (c *conversation) rewarm(p *plan) {
	l := c.lane(resource.Endpoint)
	if l == nil || l.held.Blank() {
		return
	}
	target := c.target(l)
	key := rewarming{l.held.Key(), target.Hash(), l.sub}
	if known, ok := p.rewarmed.Load(key); ok {
		l.held = known.(view.Held)
		return
	}
	var names []string
	for _, name := range p.endpoints() {
		if _, there := target.Get(name); there && l.sub.Contains(name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return
	}
	l.held = l.held.Asked(slices.Values(names), l.sub)
	if l.held.Marked() > maxShared {
		return
	}
	if shared, already := p.rewarmed.LoadOrStore(key, l.held); already {
		l.held = shared.(view.Held)
	}
}

// rewarming is the state of a client's endpoints when its clusters change:
// those in the same state are in the same one afterwards, and get the same
// bytes.
type rewarming struct {
	held   view.Key
	target radix.Hash
	sub    *view.Subscription
}

// maxShared is up to how many marked names a state is kept for others.
const maxShared = 4096
