package deltaplane

import "context"

// Revert undoes what commit v changed: ErrConflict names the keys that have
// changed since. Owners stay as they are.
func (s *Store) Revert(ctx context.Context, v Version, o Options) (*Plan, error) {
	panic("contract: to be written")
}
