package xds

import (
	"time"

	"github.com/deltaplane/deltaplane/resource"
)

// unmoved reports whether the newest version has nothing for the client, and
// nothing else is to be done for it. It takes note of the version, as next
// would: it is next's shortcut, for the many streams that a change does not
// concern.
// Cost: O(types).
func (c *conversation) unmoved(now time.Time) bool {
	if c.lingering != nil || c.leading != nil || c.keep {
		return false
	}
	for _, l := range c.lanes {
		if !l.rests() {
			return false
		}
	}
	behind := 0 // types
	for _, l := range c.lanes {
		if !l.held.InSync(c.target(l)) && (l.typ == resource.ScopedRoute || !l.subscribed() || c.plan(l, false, now) != nil) {
			return false
		}
		if l.current < c.version {
			behind++
		}
	}
	if behind == 0 {
		return true
	}
	if behind < len(c.lanes) || behind == 1 {
		return false // next tells of each
	}
	for _, l := range c.lanes {
		if !l.subscribed() {
			return false
		}
		l.current = c.version
	}
	c.observe(Event{Kind: Current, Version: c.version})
	return true
}

// rests reports whether nothing is the matter with l but, perhaps, a version
// that it has not seen yet.
func (l *lane) rests() bool {
	return l.flight == nil && !l.owes && l.refused == nil && l.preloading == nil && !l.bridge.needed &&
		l.held.Plain() && len(l.vitals.groups) == 0 && len(l.vitals.beats) == 0
}
