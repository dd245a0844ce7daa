package shape

import (
	"slices"
	"time"
)

// RetiredFor is how long a leaf is kept after it was cut or given up: as long
// as connections under an older listener may take to drain.
const RetiredFor = 15 * time.Minute

// newest are those of retired, in the order in which they were retired, that
// are kept however fast splits follow each other: about as many as a split has
// leaves. Each is as much work for an Envoy as one of these.
func newest(retired []Retired, o Options) []Retired {
	return retired[max(0, len(retired)-max(512, maxLeaves(o))):]
}

// Expire is s without the leaves that were retired RetiredFor before now, or
// earlier: s itself if there are none.
func (s *Split) Expire(now time.Time) *Split {
	expired := func(r Retired) bool { return now.Sub(r.Since) >= RetiredFor }
	if !slices.ContainsFunc(s.Retired, expired) {
		return s
	}
	left := *s
	left.Retired = slices.DeleteFunc(slices.Clone(s.Retired), expired)
	return &left
}
