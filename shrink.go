package deltaplane

import (
	"fmt"

	"github.com/deltaplane/deltaplane/resource"
)

// A sync that removes more than shrinkCount and more than shrinkPercent of a
// namespace's listeners or clusters is taken for an accident.
const (
	shrinkCount   = 10
	shrinkPercent = 20
)

// shrinks is ErrShrink with the counts when the batch removes too much.
// Cost: O(listeners and clusters of the namespace).
func shrinks(b *Batch, namespace string) error {
	for _, t := range []resource.Type{resource.Listener, resource.Cluster} {
		total, removed := 0, 0
		for k := range b.base.List(namespace, t) {
			total++
			if _, stays := b.Get(k); !stays {
				removed++
			}
		}
		if removed > shrinkCount && removed*100 > total*shrinkPercent {
			return fmt.Errorf("%d of %d %ss in namespace %q: %w", removed, total, t.Short(), namespace, ErrShrink)
		}
	}
	return nil
}
