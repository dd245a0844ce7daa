package deltaplane

import (
	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
)

// dangling lists what refers to nothing since the change from before to after.
func (s *Store) dangling(before, after radix.Tree[*Entry], o Options) (resource.Problems, error) {
	return nil, nil
}
