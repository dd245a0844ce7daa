package deltaplane

import (
	"context"
	"fmt"

	"github.com/deltaplane/deltaplane/radix"
)

// Rollback restores a namespace, or with all the whole store, as it was at v,
// owners included. ErrOwned names what belongs to another owner, unless
// o.TakeOwnership says that it may be changed all the same; ErrShrink stops a
// rollback that removes too much.
// Cost: O(changes between v and now).
func (s *Store) Rollback(ctx context.Context, v Version, all bool, o Options) (*Plan, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	then, err := s.At(ctx, v)
	if err != nil {
		return nil, err
	}
	prefix, what := NamespacePrefix(o.Namespace), fmt.Sprintf("namespace %s", o.Namespace)
	if all {
		prefix, what = "", "everything"
	}
	if o.Message == "" {
		o.Message = fmt.Sprintf("roll %s back to version %d", what, v)
	}
	return s.plan(ctx, o, func(b *Batch) (*edited, error) {
		e := newEdited()
		var others disputes
		touched := map[string]bool{}
		for c := range radix.DiffPrefix(b.base.tree, then.tree, prefix) {
			k := KeyOf(c.Key)
			touched[k.Namespace] = true
			switch {
			case c.HasOld && !others.change(k, c.Old, o):
			case c.HasNew:
				b.Put(k, *c.New)
			default:
				b.Delete(k)
			}
		}
		if err := others.err(); err != nil {
			return nil, err
		}
		for namespace := range touched {
			if err := shrinks(b, namespace); err != nil && !o.AllowShrink {
				return nil, err
			}
		}
		warnOfHosts(b, e)
		return e, nil
	})
}
