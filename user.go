package deltaplane

import (
	"slices"
	"sync"

	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
)

// target is what a reference names.
type target struct {
	Type resource.Type
	Name string
}

// userIndex knows who refers to what. It is made when it is first asked, and
// from then on follows the tree by its differences.
type userIndex struct {
	mu    sync.Mutex // guards what follows
	tree  radix.Tree[*Entry]
	users map[target]map[string]int // path of the user: how many of its parts refer
}

// of lists the paths of those in tree who refer to the keys, in any namespace.
// Cost: O(changes since the last call); the first parses every resource.
func (x *userIndex) of(tree radix.Tree[*Entry], keys []Key) map[target][]string {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.users == nil {
		x.users = map[target]map[string]int{}
	}
	for c := range radix.Diff(x.tree, tree) {
		if c.HasOld {
			x.count(c.Key, freshParts(c.New, c.Old), -1)
		}
		if c.HasNew {
			x.count(c.Key, freshParts(c.Old, c.New), +1)
		}
	}
	x.tree = tree
	found := map[target][]string{}
	for _, k := range keys {
		to := target{k.Type, k.Name}
		for path := range x.users[to] {
			found[to] = append(found[to], path)
		}
		slices.Sort(found[to])
	}
	return found
}

// count adds by to what each of path's parts refers to.
func (x *userIndex) count(path string, parts []*resource.Resource, by int) {
	for _, part := range parts {
		for _, ref := range part.References() {
			to := target{ref.Type, ref.Name}
			if x.users[to] == nil {
				x.users[to] = map[string]int{}
			}
			x.users[to][path] += by
			if x.users[to][path] == 0 {
				delete(x.users[to], path)
			}
			if len(x.users[to]) == 0 {
				delete(x.users, to)
			}
		}
	}
}
