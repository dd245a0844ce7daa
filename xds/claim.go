package xds

import (
	"sync"

	"github.com/deltaplane/deltaplane/view"
)

// claims counts what those who have come back said they hold, from their first
// request until they have acknowledged an answer to most of it: they made us
// keep these names. A list that several said counts once. The zero claims is
// ready. Any goroutine may call.
type claims struct {
	mu    sync.Mutex
	lists map[view.Key]int // lanes that have it
	names int              // in all lists
}

// take counts held, unless that would make the names more than limit. Cost:
// O(1).
func (c *claims) take(held view.Held, limit int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := held.Key()
	if c.lists[key] == 0 {
		if c.names+held.Marked() > limit {
			return false
		}
		c.names += held.Marked()
	}
	if c.lists == nil {
		c.lists = map[view.Key]int{}
	}
	c.lists[key]++
	return true
}

// give takes back one take of held.
func (c *claims) give(held view.Held) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := held.Key()
	if c.lists[key]--; c.lists[key] == 0 {
		delete(c.lists, key)
		c.names -= held.Marked()
	}
}

// total is how many names are in all lists.
func (c *claims) total() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.names
}

// claim has l hold what its client said. A client that finds no room for it
// comes again, as all do whose stream ends, and by then others have theirs:
// not to listen to it would leave at the client what it should no longer have.
func (c *conversation) claim(l *lane, held view.Held) error {
	l.held = held
	if held.Marked() == 0 {
		return nil
	}
	if limit := c.common.maxNamesInAll; !c.common.claims.take(held, limit-c.common.interner.Names()) {
		return exhausted("%s: %d names in initial_resource_versions are too many while others come back, too: at most %d are held in all (xds.Config.MaxNamesInAll); come again",
			l.typ.Short(), held.Marked(), limit)
	}
	l.claimed = &held
	return nil
}

// settle ends l's claim once most of what its client said has been answered:
// what is left of it then stands for that.
func (c *conversation) settle(l *lane) {
	if l.claimed != nil && l.held.Marked() <= l.claimed.Marked()/2 {
		c.release(l)
	}
}

// release ends l's claim.
func (c *conversation) release(l *lane) {
	if l.claimed != nil {
		c.common.claims.give(*l.claimed)
		l.claimed = nil
	}
}
