package deltaplane

import "context"

// Rollback restores a namespace, or with all the whole store, as it was at v.
func (s *Store) Rollback(ctx context.Context, v Version, all bool, o Options) (*Plan, error) {
	panic("contract: to be written")
}
