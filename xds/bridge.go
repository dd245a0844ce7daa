package xds

import (
	"slices"
	"time"

	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
	"github.com/deltaplane/deltaplane/view"
)

// This file keeps virtual hosts where they were until scopes have followed
// them. A commit that moves a host to another route configuration, and its
// scope too, is a removal from one, an addition to the other, and a change in
// between: whichever of the tables goes out first, some requests find no host.
// So tables go out with the hosts that they had besides, then the scopes; once
// these are accepted, the tables go out as they are to be.

// bridge is what one lane of route configurations should hold meanwhile.
type bridge struct {
	needed bool     // as of the last next
	from   view.Key // holdings and table that table was made for
	to     radix.Hash
	table  view.Table
}

// crossing finds out whether scopes are on their way, so that the tables that
// they leave and reach are kept together. A scope that is refused stays where
// it is, and so do the hosts.
func (c *conversation) crossing(now time.Time) {
	routes, scopes := c.lane(resource.Route), c.lane(resource.ScopedRoute)
	if routes == nil {
		return
	}
	routes.bridge.needed = scopes != nil && scopes.subscribed() && c.moving(scopes, now)
	if !routes.bridge.needed {
		routes.bridge = bridge{}
	}
}

// moving reports whether scopes are on their way, or are to be. Those of leaves
// (package shape) do not count: no host moves between leaves.
func (c *conversation) moving(scopes *lane, now time.Time) bool {
	counts := func(name string) bool {
		_, leaf := shape.TableOf(name)
		return !leaf
	}
	switch target := c.view.Table(resource.ScopedRoute); {
	case c.waitsFor(scopes, now):
		for name := range scopes.flight.plan.content() {
			if counts(name) {
				return true
			}
		}
	case scopes.flight == nil && !scopes.held.InSync(target):
		for name := range scopes.held.Behind(target) {
			if counts(name) {
				return true
			}
		}
		for name := range scopes.held.Outdated(target) {
			if counts(name) {
				return true
			}
		}
	}
	return false
}

// over is target and the hosts that the client has besides.
// Cost: O(1) unless the client's holdings or target are others than before.
func (b *bridge) over(held view.Held, target view.Table) view.Table {
	if from, to := held.Key(), target.Hash(); b.from != from || b.to != to {
		b.table, b.from, b.to = held.Bridge(target), from, to
	}
	return b.table
}

// extends reports whether the client is to have more than target for now.
func (b *bridge) extends(target view.Table) bool { return b.needed && b.table.Hash() != target.Hash() }

// mayAdd reports whether l's additions may go out now: scopes follow the
// tables that they may lead to, and a listener on its way, behind which they
// may have to go all together (rescope). Where clusters are refused, tables may
// wait for these, nobody knows for how long, and scopes do not.
func (c *conversation) mayAdd(l *lane, all []standing) bool {
	if l.typ != resource.ScopedRoute || l.owes || l.held.Fresh() {
		return true
	}
	if slices.ContainsFunc(all, func(s standing) bool { return s.typ == resource.Listener && s.inFlight }) {
		return false
	}
	if clusters := c.lane(resource.Cluster); clusters != nil && clusters.refused != nil {
		return true
	}
	return !slices.ContainsFunc(all, func(s standing) bool { return s.typ == resource.Route && s.adds })
}
