package shape

import (
	"fmt"
	"slices"
	"time"
)

// DefaultDrain is how long a leaf is kept after it was cut or given up, unless
// a Moment says otherwise: as long as connections under an older listener may
// take to drain, which is ten minutes for an Envoy that is not told otherwise.
const DefaultDrain = 15 * time.Minute

// Moment is when a split changes.
type Moment struct {
	Now   time.Time
	Drain time.Duration // for how long leaves outlive listeners that lead to them; 0: DefaultDrain
}

// expired reports whether nobody needs r any more.
func (at Moment) expired(r Retired) bool {
	drain := at.Drain
	if drain == 0 {
		drain = DefaultDrain
	}
	return at.Now.Sub(r.Since) >= drain
}

// maxRetired is with how many retired leaves a split gets no new ones, about as
// many as it has leaves: each is as much work for an Envoy as one of these.
// None is given up before its time, for requests that still lead to it would
// be answered with 404.
func maxRetired(o Options) int { return max(512, maxLeaves(o)) }

// crowded reports whether so many leaves are retired that there should be no
// more: as when a table turns to and fro.
func (s *Split) crowded() bool { return len(s.Retired) > maxRetired(s.Options) }

// crowding says so to users.
func (s *Split) crowding() string {
	return fmt.Sprintf("it was split anew so often that %d parts of before are still kept for connections that drain: it will be split when it changes after these have ended", len(s.Retired))
}

// Expire is s without the leaves that were retired long enough before: s
// itself if there are none.
func (s *Split) Expire(at Moment) *Split {
	if !slices.ContainsFunc(s.Retired, at.expired) {
		return s
	}
	left := *s
	left.Retired = slices.DeleteFunc(slices.Clone(s.Retired), at.expired)
	return &left
}
