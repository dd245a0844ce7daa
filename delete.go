package deltaplane

import (
	"context"
	"fmt"

	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
)

// Delete removes keys, as one commit. A missing one is ErrNotFound, unless
// ignoreMissing. Removing a route configuration removes its inline hosts.
func (s *Store) Delete(ctx context.Context, keys []Key, ignoreMissing bool, o Options) (*Plan, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	return s.plan(ctx, o, func(b *Batch) (*edited, error) {
		e := newEdited()
		var others disputes
		var missing []string
		for _, k := range keys {
			old, ok := b.base.Get(k)
			if !ok {
				missing = append(missing, k.String())
				continue
			}
			e.named[k] = true
			if others.change(k, old, o) {
				b.Delete(k)
			}
			if k.Type != resource.Route {
				continue
			}
			for k, h := range hostsOf(b.base.tree, k) {
				if h.Inline && others.change(k, h, o) {
					b.Delete(k)
				}
			}
		}
		if len(missing) > 0 && !ignoreMissing {
			return nil, fmt.Errorf("%s: %w", named(missing), ErrNotFound)
		}
		if err := others.err(); err != nil {
			return nil, err
		}
		warnOfHosts(b, e)
		return e, nil
	})
}

// warnOfHosts tells of hosts of their own that are without a route
// configuration since the batch.
// Cost: O(changes), and O(hosts) for a route configuration that is removed.
func warnOfHosts(b *Batch, e *edited) {
	tree := b.txn.Commit()
	for c := range radix.Diff(b.base.tree, tree) {
		k := KeyOf(c.Key)
		switch {
		case k.Type == resource.VirtualHost && !c.HasOld:
			if route, ok := RouteOf(k); ok && !has(tree, route) {
				e.warn(k, fmt.Sprintf("there is no route configuration %q in namespace %q for this host", route.Name, k.Namespace))
			}
		case k.Type == resource.Route && !c.HasNew:
			for host := range hostsOf(tree, k) {
				e.warn(host, fmt.Sprintf("route configuration %q is removed, and this host of it stays", k.Name))
			}
		}
	}
}

func has(tree radix.Tree[*Entry], k Key) bool {
	_, ok := tree.Get(k.Path())
	return ok
}
