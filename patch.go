package deltaplane

import (
	"context"
	"fmt"

	"github.com/deltaplane/deltaplane/resource"
)

// Patch replaces the resource at k by what edit makes of it, as one commit.
// edit must have no effects: it runs again on a newer snapshot when another
// writer was faster. A route configuration is handed over whole; to patch one
// of its hosts, name the VirtualHost "<route configuration>/<host>", wherever it
// stands. References are checked of what is new. A missing key is ErrNotFound.
// Cost: that of edit, and of a host O(changed routes, segments of the host and
// bytes of the changed ones).
func (s *Store) Patch(ctx context.Context, k Key, edit func(*resource.Resource) (*resource.Resource, error), o Options) (*Plan, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	return s.plan(ctx, o, func(b *Batch) (*edited, error) {
		old, ok := b.base.Get(k)
		if !ok {
			return nil, fmt.Errorf("%s: %w", k, ErrNotFound)
		}
		r, err := edit(whole(b.base.tree, k))
		if err != nil {
			return nil, err
		}
		if r.Type() != k.Type || r.Name() != k.Name {
			return nil, fmt.Errorf("%s: a patch cannot make it %s %q", k, r.Type().Short(), r.Name())
		}
		want, err := intentOf([]resource.Document{{Resource: r}}, k.Namespace)
		if err != nil {
			return nil, err
		}
		want[0].inline = old.Inline
		e, err := applyTo(b, want, false, o)
		if err == nil {
			e.named[k] = true // also a host inside a route configuration
			e.part = true
		}
		return e, err
	})
}
