package xds

import (
	"time"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
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

// atRest reports whether the client has been told to have all that it
// subscribes to as of the newest version, and nothing will change that or is
// to be done for it before it says something or its view changes: not even
// time. Cost: O(types).
func (c *conversation) atRest() bool {
	if c.lingering != nil || c.leading != nil || c.keep || len(c.lanes) == 0 {
		return false
	}
	for _, l := range c.lanes {
		if !l.rests() || l.subscribed() && l.current < c.version {
			return false
		}
	}
	return c.holdsAll()
}

// holdsAll reports whether the client has exactly what it is to have.
func (c *conversation) holdsAll() bool {
	for _, l := range c.lanes {
		if l.subscribed() && !l.held.InSync(c.target(l)) {
			return false
		}
	}
	return true
}

// reached takes in that the client, at rest, has come to v.
func (c *conversation) reached(v *view.View) {
	for _, l := range c.lanes {
		if l.subscribed() {
			l.current = max(l.current, v.Version())
		}
	}
	c.view, c.version = v, v.Version()
}

// rests reports whether nothing is the matter with l but, perhaps, a version
// that it has not seen yet.
func (l *lane) rests() bool {
	return l.flight == nil && !l.owes && l.refused == nil && l.preloading == nil && !l.bridge.needed &&
		l.held.Plain() && len(l.vitals.groups) == 0 && len(l.vitals.beats) == 0
}
