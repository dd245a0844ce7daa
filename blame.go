package deltaplane

import "context"

// Line is one part of a resource with the commit that last changed it.
type Line struct {
	Path   string `json:"path"` // field path, "" for the resource itself
	Commit Commit `json:"commit"`
}

// Blame tells, for each part of a resource, which commit last changed it.
func (s *Store) Blame(ctx context.Context, k Key) ([]Line, error) { panic("contract: to be written") }
