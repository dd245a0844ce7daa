package xds

import (
	"slices"

	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
)

// This file keeps what a client warms clusters with until it has accepted the
// clusters. Envoy acknowledges none while one of them warms. If what that one
// waits for is gone before Envoy asks for it, a state-of-the-world stream has
// no way to say so: the cluster would warm, and all clusters wait, until
// Envoy's initial fetch timeout.

// target is what the client should hold of l's type: what the view has and,
// while clusters wait for their acknowledgement, the endpoints and secrets
// that they were sent with, even if these are gone since.
// Cost: O(1); once per version O(changes since the clusters were sent).
func (c *conversation) target(l *lane) view.Table {
	if l.preloading != nil {
		return l.preloading.target
	}
	now := l.target(c.view)
	clusters := c.lane(resource.Cluster)
	if l.typ != resource.Endpoint && l.typ != resource.Secret || clusters == nil {
		return now
	}
	if clusters.flight == nil {
		l.warmFor, l.warm = nil, view.Table{}
		return now
	}
	f := clusters.flight
	then := f.view.Table(l.typ)
	if then.Hash() == now.Hash() {
		return now
	}
	if l.warmFor != f || l.warmOf != now.Hash() {
		l.warm, l.warmFor, l.warmOf = f.warmer(l.typ, then, now), f, now.Hash()
	}
	return l.warm
}

// warmer is now and what f's clusters need of then and is gone.
func (f *flight) warmer(t resource.Type, then, now view.Table) view.Table {
	x := now.Txn()
	for gone := range radix.Diff(then, now) {
		if gone.New == nil && f.plan.warmsWith(t, gone.Key) {
			x.Put(gone.Key, gone.Old)
		}
	}
	return x.Commit()
}

// warmsWith reports whether a cluster that p adds or changes waits for the
// endpoints or the secret called name. For a secret it may err towards true.
func (p *plan) warmsWith(t resource.Type, name string) bool {
	if t == resource.Endpoint {
		_, found := slices.BinarySearch(p.endpoints(), name)
		return found
	}
	return slices.ContainsFunc(p.Upserts, func(u view.Upsert) bool { return view.Mentions(u.Resource, []string{name}) })
}
