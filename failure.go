package deltaplane

import "errors"

// What Store's methods fail with; use errors.Is.
var (
	ErrConflict    = errors.New("the store has changed meanwhile")
	ErrNotFound    = errors.New("not found")
	ErrOwned       = errors.New("owned by another")
	ErrVersionGone = errors.New("version no longer kept")
	ErrShrink      = errors.New("would remove more than a fifth; allow it on purpose")
	ErrDangling    = errors.New("refers to what does not exist")
	ErrUnavailable = errors.New("etcd is unavailable")
	ErrClosed      = errors.New("store is closed")
)
