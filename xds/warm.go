package xds

import (
	"slices"

	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
)

// This file keeps what a client warms clusters and listeners with until it has
// accepted them, or their successors. Envoy acknowledges no clusters while one
// of them warms. If what that one waits for is gone before Envoy asks for it, a
// state-of-the-world stream has no way to say so: the cluster would warm, and
// all clusters wait, until Envoy's initial fetch timeout. A listener whose
// secret is said not to exist goes live without it, and resets connections
// until the listener that takes its place comes.

// warmth is what a lane holds besides what the view has, for one response.
type warmth struct {
	by    *flight // nil: nothing
	of    radix.Hash
	table view.Table
}

// target is what the client should hold of l's type: what the view has, and
// what it still needs on the way there.
// Cost: O(1); once per version O(changes since what it needs was sent).
func (c *conversation) target(l *lane) view.Table {
	if l.preloading != nil {
		return l.preloading.target
	}
	table := l.target(c.view)
	if l.bridge.needed {
		return l.bridge.over(l.held, table)
	}
	if l.typ == resource.Endpoint || l.typ == resource.Secret {
		table = l.warmClusters.over(l, c.warmingClusters(), table)
	}
	if l.typ == resource.Secret {
		table = l.warmListeners.over(l, c.warmingListeners(), table)
	}
	return table
}

// warmingClusters is the response of clusters that may warm, nil for none.
func (c *conversation) warmingClusters() *flight {
	if clusters := c.lane(resource.Cluster); clusters != nil {
		return clusters.flight
	}
	return nil
}

// warmingListeners is the last response of listeners if there are others by
// now. Envoy accepts listeners before they are warm.
func (c *conversation) warmingListeners() *flight {
	listeners := c.lane(resource.Listener)
	if listeners == nil || listeners.held.InSync(listeners.target(c.view)) && listeners.flight == nil {
		return nil
	}
	return listeners.latest
}

// over is now and what f's resources need and is gone.
func (w *warmth) over(l *lane, f *flight, now view.Table) view.Table {
	if f == nil {
		*w = warmth{}
		return now
	}
	then := f.view.Table(l.typ)
	if then.Hash() == now.Hash() {
		return now
	}
	if w.by != f || w.of != now.Hash() {
		*w = warmth{by: f, of: now.Hash(), table: f.warmer(l.typ, then, now)}
	}
	return w.table
}

// warmer is now and what f's resources need of then and is gone.
func (f *flight) warmer(t resource.Type, then, now view.Table) view.Table {
	x := now.Txn()
	for gone := range radix.Diff(then, now) {
		if gone.New == nil && f.plan.warmsWith(t, gone.Key) {
			x.Put(gone.Key, gone.Old)
		}
	}
	return x.Commit()
}

// warmsWith reports whether something that p adds or changes waits for the
// endpoints or the secret called name. For a secret it may err towards true.
func (p *plan) warmsWith(t resource.Type, name string) bool {
	if t == resource.Endpoint {
		_, found := slices.BinarySearch(p.endpoints(), name)
		return found
	}
	return slices.ContainsFunc(p.Upserts, func(u view.Upsert) bool { return view.Mentions(u.Resource, []string{name}) })
}
