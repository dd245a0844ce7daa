package view

import (
	"cmp"
	"slices"

	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
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
	names, domains := map[string]bool{}, map[string]bool{}
	for _, host := range r.hosts {
		names[host.Name()] = true
		for _, domain := range domainsOf(host) {
			domains[domain] = true
		}
	}
	hosts := slices.Clone(r.hosts)
	for _, host := range old.hosts {
		taken := func(domain string) bool { return domains[domain] }
		if !names[host.Name()] && !slices.ContainsFunc(domainsOf(host), taken) {
			hosts = append(hosts, host)
		}
	}
	if more := len(hosts) - len(r.hosts); more == 0 || more > maxBridged {
		return r
	}
	slices.SortFunc(hosts, func(a, b *resource.Resource) int { return cmp.Compare(a.Name(), b.Name()) })
	return compose(r.source, hosts)
}
