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
	Next  uint32        // new leaves have no ID below it: the table's other splits have had these
}

// Over reports whether nobody needs any more what ended at since.
func (at Moment) Over(since time.Time) bool {
	drain := at.Drain
	if drain == 0 {
		drain = DefaultDrain
	}
	return at.Now.Sub(since) >= drain
}

func (at Moment) expired(r Retired) bool { return at.Over(r.Since) }

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

// Inherit is s with all leaves of others besides, as retired ones: what they
// led to stays while connections drain. What is retired already keeps its time.
// It is s itself if that adds nothing.
// Cost: the leaves; O(1) without others.
func (s *Split) Inherit(at Moment, others ...*Split) *Split {
	if len(others) == 0 {
		return s
	}
	has := map[uint32]bool{}
	s.Areas(func(id uint32, _ Area) { has[id] = true })
	heir := *s
	heir.Retired = slices.Clone(s.Retired)
	add := func(r Retired) {
		if !has[r.ID] {
			has[r.ID] = true
			heir.Retired = append(heir.Retired, r)
		}
	}
	for _, other := range others {
		heir.Next = max(heir.Next, other.Next)
		for i, l := range other.Leaves {
			add(Retired{ID: l.ID, Area: other.area(i), Since: at.Now})
		}
		for _, r := range other.Retired {
			add(r)
		}
	}
	if len(heir.Retired) == len(s.Retired) {
		return s
	}
	return &heir
}
