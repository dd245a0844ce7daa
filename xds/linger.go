package xds

import (
	"crypto/sha256"
	"slices"
	"time"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
)

// This file keeps clusters for connections that drain. When a listener changes
// or goes, Envoy lets the connections that it has end in their own time, up to
// its --drain-time-s: they go on with the old listener and with the route
// configuration that it had, whether or not these exist any longer. So a
// cluster that such a listener or route configuration mentions outlives it,
// for as long as Envoy still asks for the route configuration, and at most for
// Config.Drain.
//
// What lingers keeps no other type waiting but endpoints, and no wait for a
// version: new connections do not see it.

// lingering is what the client may go on with although it is gone. It is
// immutable; hash identifies its content.
type lingering struct {
	list []lingered
	hash [sha256.Size]byte
}

// lingered is one listener or route configuration of the past.
type lingered struct {
	*view.Resource
	until time.Time
}

// maxLingering is how many are kept; the oldest make room.
const maxLingering = 1024

// linger brings c.lingering up to what the client holds.
// Cost: O(1) while nothing drains and nothing changes, else O(changes).
func (c *conversation) linger(now time.Time) {
	if !c.envoy || c.lane(resource.Cluster) == nil {
		return
	}
	var list []lingered
	changed := false
	for _, old := range c.lingering.all() {
		if now.Before(old.until) && c.drains(old.Resource) {
			list = append(list, old)
		} else {
			changed = true
		}
	}
	for _, t := range []resource.Type{resource.Listener, resource.Route} {
		l := c.lane(t)
		if l == nil || l.held.InSync(c.target(l)) {
			continue
		}
		for _, old := range l.held.Outdated(c.target(l)) {
			if !c.drains(old) {
				continue
			}
			at := slices.IndexFunc(list, func(l lingered) bool { return l.Resource == old })
			if at < 0 {
				changed = true
				list = append(list, lingered{Resource: old})
				at = len(list) - 1
			}
			list[at].until = now.Add(c.common.drain) // it has not been replaced yet
		}
	}
	list = list[max(0, len(list)-maxLingering):]
	switch {
	case len(list) == 0:
		c.lingering = nil
	case changed:
		c.lingering = &lingering{list, sumOf(list)}
	default:
		c.lingering = &lingering{list, c.lingering.hash}
	}
}

// drains reports whether connections may go on with old: a listener in an
// older form, or a route configuration that is gone and still asked for. One
// that exists is kept up to date as long as it is asked for.
func (c *conversation) drains(old *view.Resource) bool {
	if old.Type() == resource.Listener {
		return true
	}
	_, there := c.view.Table(old.Type()).Get(old.Name())
	return !there && c.lane(old.Type()).sub.Named(old.Name())
}

func (l *lingering) all() []lingered {
	if l == nil {
		return nil
	}
	return l.list
}

func (l *lingering) key() (hash [sha256.Size]byte) {
	if l != nil {
		hash = l.hash
	}
	return hash
}

func sumOf(list []lingered) (sum [sha256.Size]byte) {
	h := sha256.New()
	for _, one := range list {
		digest := one.Digest()
		h.Write(digest[:])
	}
	h.Sum(sum[:0])
	return sum
}

// uses reports whether anything that lingers mentions the cluster.
func (l *lingering) uses(cluster string) bool {
	return slices.ContainsFunc(l.all(), func(one lingered) bool { return view.Mentions(one.Resource, []string{cluster}) })
}

// keeps is what view.Diff is to keep of l although it is gone, nil if nothing.
func (c *conversation) keeps(l *lane) func(string) bool {
	if l.typ != resource.Cluster || c.lingering == nil {
		return nil
	}
	return c.lingering.uses
}

// end is when the first of them ends by itself.
func (l *lingering) end() (at time.Time, ok bool) {
	for _, one := range l.all() {
		if !ok || one.until.Before(at) {
			at, ok = one.until, true
		}
	}
	return at, ok
}
