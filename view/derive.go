package view

import (
	"iter"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
)

// derivation brings a view from one snapshot to another.
type derivation struct {
	old        *View
	snapshot   *deltaplane.Snapshot
	namespaces []string
}

// place is a name of a type, in whatever namespace.
type place struct {
	typ  resource.Type
	name string
}

// touched goes through what changed between the snapshots, namespace by
// namespace in their order, and what each of them now has: nil for nothing.
func (d *derivation) touched() iter.Seq2[place, *deltaplane.Entry] {
	before, after := d.old.snapshot.Tree(), d.snapshot.Tree()
	return func(yield func(place, *deltaplane.Entry) bool) {
		for _, namespace := range d.namespaces {
			for c := range radix.DiffPrefix(before, after, deltaplane.NamespacePrefix(namespace)) {
				if c.HasOld && c.HasNew && c.Old.Resource.Digest() == c.New.Resource.Digest() && c.Old.Inline == c.New.Inline {
					continue // only the owner changed
				}
				if k := deltaplane.KeyOf(c.Key); served(k.Type) && !yield(place{k.Type, k.Name}, c.New) {
					return
				}
			}
		}
	}
}

// apply sets next's tables.
func (d *derivation) apply(next *View) {
	anew := d.old.snapshot.Tree().Len() == 0 // so that all there is comes by, and the last namespace last
	txns := map[resource.Type]*radix.Txn[*Resource]{}
	txn := func(t resource.Type) *radix.Txn[*Resource] {
		if txns[t] == nil {
			txns[t] = d.old.tables.of(t).Txn()
		}
		return txns[t]
	}
	mortal := mortalTxn{}
	hosts := hostTxn{hosts: txn(resource.VirtualHost), domains: d.old.domains.Txn(), inside: d.old.inside.Txn()}
	routes := map[string]routeChange{}
	for p, e := range d.touched() {
		switch p.typ {
		case resource.Route:
			change := routes[p.name]
			change.shell = true
			routes[p.name] = change
		case resource.VirtualHost:
			if route, _, ok := resource.HostOf(p.name); ok {
				change := routes[route]
				change.hosts = append(change.hosts, p.name)
				routes[route] = change
			}
		default:
			var r *Resource
			if anew {
				r = of(e.Resource)
			} else {
				r = d.last(p)
			}
			put(txn(p.typ), p.name, r)
			mortal.set(p.typ, d.old.mortal.of(p.typ), p.name, r)
		}
	}
	for route, change := range routes {
		r := d.route(route, change, hosts)
		put(txn(resource.Route), route, r)
		mortal.set(resource.Route, d.old.mortal.of(resource.Route), route, r)
	}
	next.tables, next.mortal = d.old.tables.over(txns), d.old.mortal.over(mortal)
	next.domains, next.inside = hosts.domains.Commit(), hosts.inside.Commit()
}

// last is what the last namespace that has p says, nil if none has.
func (d *derivation) last(p place) *Resource {
	for i := len(d.namespaces) - 1; i >= 0; i-- {
		if e, ok := d.snapshot.Get(deltaplane.Key{Namespace: d.namespaces[i], Type: p.typ, Name: p.name}); ok {
			return of(e.Resource)
		}
	}
	return nil
}

func put(x *radix.Txn[*Resource], name string, r *Resource) {
	if r == nil {
		x.Delete(name)
	} else {
		x.Put(name, r)
	}
}
