package xds

import (
	"slices"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
	"github.com/deltaplane/deltaplane/wire"
)

const wildcard = "*"

// subscribeDelta applies what q subscribes to and unsubscribes from. It counts
// even with a stale nonce (xDS protocol, "Incremental xDS"). A name that is
// subscribed to is answered even if the client should have it ("Subscribing to
// Resources"); one that is unsubscribed from and that the wildcard or a
// collection covers, as well ("Unsubscribing from Resources").
func (c *conversation) subscribeDelta(l *lane, q request, first bool) error {
	if err := c.checkBudget(l.typ, len(q.subscribe)); err != nil {
		return err
	}
	add, all := cut(namesOf(l.typ, q.subscribe))
	remove, none := cut(namesOf(l.typ, q.unsubscribe))
	old := l.sub
	was, legacy := old.Wildcard(), old.Wildcard() && !l.named
	wants := was && !none || all || first && len(q.subscribe) == 0 && len(q.unsubscribe) == 0
	l.named = l.named || len(q.subscribe) > 0
	if first {
		if q.resumed == nil {
			held := view.Resumed(versionsOf(l.typ, q.initial))
			q.resumed = &held
		}
		if err := c.claim(l, *q.resumed); err != nil {
			return err
		}
		l.resumed = !l.held.Blank()
		l.owes = wants && !l.resumed
	}
	anew := !first && all && (!was || !legacy)
	if anew { // it has what it had until now, whatever it wants from here on
		l.held, l.owes, l.refused = l.held.Doubted(l.sub), true, nil
	}
	if len(add)+len(remove) > 0 || wants != was || first {
		c.subscribe(l, c.common.interner.With(l.sub, wants, add, remove), first)
	}
	if !first && !anew {
		for _, name := range remove {
			if l.sub.Contains(name) {
				add = append(slices.Clip(add), name)
			}
		}
		l.answer(slices.Collect(view.Expand(add, c.target(l))), old)
	}
	return nil
}

// cut takes the wildcard out of names.
func cut(names []string) (others []string, all bool) {
	if !slices.Contains(names, wildcard) {
		return names, false
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == wildcard }), true
}

// answer has names sent even if the client should have them, or once more
// told that they do not exist. It lifts refusals. The client was subscribed to
// old.
func (l *lane) answer(names []string, old *view.Subscription) {
	if len(names) == 0 {
		return
	}
	l.held = l.held.Asked(slices.Values(names), old)
	if slices.ContainsFunc(names, l.refused.holds) {
		l.refused = nil
	}
}

// decideDelta is what a delta stream in key's state sends.
func (c *conversation) decideDelta(l *lane, target view.Table, key fanoutKey) *plan {
	limits := view.Limits{Mortal: c.mortal(l, target), Removals: key.removals, Bytes: c.common.maxResponse, Scoped: l.typ == resource.VirtualHost, Alone: aloneOf(l.typ), Crowd: key.crowd(), Hold: c.holds(l, key), Keep: c.keeps(l)}
	p := &plan{Outcome: view.Diff(l.held, target, l.sub, limits), before: l.held}
	version, typ, identifier := target.Hash(), l.typ, c.common.identifier
	p.encode = func() *wire.Frame { return wire.Delta(typ, hexOf(version), identifier, &p.Change) }
	return p
}

// holds is what view.Diff is to hold back of l in key's state, nil if nothing.
func (c *conversation) holds(l *lane, key fanoutKey) func(view.Step) bool {
	leading := c.leading
	if l.typ != resource.Listener || leading.key() == (fanoutKey{}).besides {
		leading = nil
	}
	if key.refused == nil && key.gate == (gate{}) && leading == nil {
		return nil
	}
	return func(s view.Step) bool { return key.refused.holds(s.Name) || key.gate.holds(s) || leading.holds(s) }
}
