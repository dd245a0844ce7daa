package xds

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
	"github.com/deltaplane/deltaplane/wire"
)

// subscribeSotW makes q's names the subscription. A request with a stale
// nonce changes nothing: the client will send its whole list again with its
// answer to the newer response (xDS protocol, "Resource updates"). Names that
// are new are answered even if the client should have them ("How the client
// specifies what resources to return"). Collections of xdstp:// names are for
// delta alone (cncf/xds TP1, "Discovery request and responses").
func (c *conversation) subscribeSotW(l *lane, q request, first bool) error {
	if !first && q.nonce != "" && q.nonce != l.nonce {
		return nil
	}
	names, all := cut(namesOf(l.typ, q.names))
	if slices.ContainsFunc(names, resource.IsCollection) {
		names = slices.DeleteFunc(slices.Clone(names), resource.IsCollection)
	}
	if !slices.IsSorted(names) {
		names = slices.Sorted(slices.Values(names))
	}
	old, was := l.sub, l.sub.Wildcard()
	wants := all || len(q.names) == 0 && !l.named && (first || was)
	l.named = l.named || len(q.names) > 0
	if !first && wants == was && slices.Equal(names, l.sub.Names()) {
		return nil
	}
	added := slices.DeleteFunc(slices.Clone(names), l.sub.Named)
	if err := c.checkBudget(l.typ, len(added)); err != nil {
		return err
	}
	c.subscribe(l, c.common.interner.Of(wants, names), first)
	switch {
	case first:
		l.held, l.owes, l.resumed = view.Nothing(), wants || l.typ.FullState(), q.version != ""
		// What has a TTL it may have dropped since, whatever the version says.
		if target := c.target(l); wants && len(names) == 0 && l.typ.FullState() && q.version == hexOf(target.Hash()) && c.mortal(l, target).Len() == 0 {
			l.held, l.owes = view.Holding(target, view.Table{}), false
		}
		if c.keep && q.version != "" {
			l.owes = false // an empty answer would remove all that it has
		}
	case wants && !was:
		l.held, l.owes, l.refused = view.Nothing(), true, nil
	case l.typ == resource.Route && len(added) > 0:
		// Envoy moves a scope from one table to another by dropping the old
		// table before it asks for the new one. Where the old one is wanted by
		// another scope of the same update, its one request adds the new name
		// and does not show that the old table was dropped.
		l.answer(names, old)
	default:
		l.answer(added, old)
	}
	return nil
}

// decideSotW is what a state-of-the-world stream in key's state sends.
func (c *conversation) decideSotW(l *lane, target view.Table, key fanoutKey) *plan {
	if l.typ.FullState() {
		return c.decideFullState(l, target, key)
	}
	limits := view.Limits{Mortal: c.mortal(l, target), Removals: true, Bytes: c.common.maxResponse, Scoped: l.typ == resource.VirtualHost, Alone: aloneOf(l.typ), Crowd: key.crowd(), Hold: c.holds(l, key)}
	p := &plan{Outcome: view.Diff(l.held, target, l.sub, limits), before: l.held}
	p.Removed, p.Missing = nil, nil // this variant has no way to tell
	var resources []*view.Resource
	for _, u := range p.Upserts {
		resources = append(resources, u.Resource)
	}
	c.encodeSotW(p, l, target, nil, resources)
	return p
}

// decideFullState is for the types whose response holds everything, so that
// what is missing is removed ("Grouping Resources into Responses"). Before
// removals may go out, what is to be removed is sent on. A refusal holds the
// whole type until something in it changes; so does the gate.
func (c *conversation) decideFullState(l *lane, target view.Table, key fanoutKey) *plan {
	limits := view.Limits{Mortal: c.mortal(l, target), Full: true, Removals: key.removals, Hold: c.holds(l, key), Keep: c.keeps(l)}
	p := &plan{Outcome: view.Diff(l.held, target, l.sub, limits), before: l.held}
	if key.refused != nil && !p.Empty() { // what was refused goes again with what is new
		key.refused = nil
		limits.Hold = c.holds(l, key)
		p.Outcome = view.Diff(l.held, target, l.sub, limits)
	}
	kept := slices.Collect(p.After.Kept(target))
	p.all = slices.Concat(slices.Collect(wanted(target, l.sub)), kept)
	slices.SortFunc(p.all, func(a, b *view.Resource) int { return cmp.Compare(a.Name(), b.Name()) })
	c.encodeSotW(p, l, target, kept, p.all)
	return p
}

// encodeSotW has p encode resources, under the version of all that the client
// then holds.
func (c *conversation) encodeSotW(p *plan, l *lane, target view.Table, kept, resources []*view.Resource) {
	sub, typ, identifier := l.sub, l.typ, c.common.identifier
	p.encode = func() *wire.Frame {
		return wire.SotW(typ, versionOf(target, sub, kept), identifier, resources)
	}
}

// wanted goes through what sub has of target, by name.
func wanted(target view.Table, sub *view.Subscription) func(func(*view.Resource) bool) {
	return func(yield func(*view.Resource) bool) {
		if sub.Wildcard() {
			for name, r := range target.All() {
				if sub.Contains(name) && !yield(r) {
					return
				}
			}
			return
		}
		for _, name := range sub.Names() {
			if r, ok := target.Get(name); ok && !yield(r) {
				return
			}
		}
	}
}

// versionOf is the version_info of exactly what a client holds. It depends on
// content alone, so it is equal on every replica and after a restart.
func versionOf(target view.Table, sub *view.Subscription, kept []*view.Resource) string {
	if sub.Wildcard() && len(kept) == 0 {
		return hexOf(target.Hash())
	}
	h := sha256.New()
	for _, list := range [](func(func(*view.Resource) bool)){wanted(target, sub), slices.Values(kept)} {
		for r := range list {
			digest := r.Digest()
			h.Write([]byte(r.Name()))
			h.Write([]byte{0})
			h.Write(digest[:])
		}
		h.Write([]byte{0xff})
	}
	return hex.EncodeToString(h.Sum(nil))
}

func hexOf(h radix.Hash) string { return hex.EncodeToString(h[:]) }
