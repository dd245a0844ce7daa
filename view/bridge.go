package view

import (
	"slices"

	"github.com/deltaplane/deltaplane/radix"
)

// Bridge is target with the virtual hosts that the client holds in route
// configurations and that target has no longer there: for as long as scopes
// still lead to the old place of a host that moves. A host that shares a
// domain with one of target's is left out, as Envoy would refuse both.
// Cost: O(changes × hosts of their tables).
func (h Held) Bridge(target Table) Table {
	if h.fresh {
		return target
	}
	x := target.Txn()
	extend := func(name string, now *Resource) {
		if old := h.content(name); old != nil && now != nil {
			x.Put(name, now.with(old))
		}
	}
	for d := range radix.Diff(h.base, target) {
		extend(d.Key, d.New)
	}
	for name := range h.marks.all() {
		now, _ := target.Get(name)
		extend(name, now)
	}
	return x.Commit()
}

// maxBridged is how many hosts more than its own a table may have on a bridge.
const maxBridged = 1024

// with is r, a route configuration, and the hosts that old has besides.
func (r *Resource) with(old *Resource) *Resource {
	if !old.composed() {
		return r
	}
	var gone []*Resource
	domains := map[string]bool{} // of what is new: no other can clash with what old has
	for c := range radix.DiffPrefix(old.own.inside, r.inside(), shelfOf(r.Name())) {
		if !c.HasNew {
			gone = append(gone, c.Old)
			continue
		}
		for _, domain := range domainsOf(c.New.source) {
			domains[domain] = true
		}
	}
	both, more := r.inside().Txn(), 0
	for _, host := range gone {
		if !slices.ContainsFunc(domainsOf(host.source), func(domain string) bool { return domains[domain] }) {
			both.Put(shelfOf(r.Name())+host.Name(), host)
			more++
		}
	}
	if more == 0 || more > maxBridged {
		return r
	}
	return compose(r.source, both.Commit())
}
