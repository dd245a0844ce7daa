package view

import (
	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
)

// hostTxn changes the table of virtual hosts, the index of their domains, and
// those inside of route configurations together.
type hostTxn struct {
	hosts, domains, inside *radix.Txn[*Resource]
}

// routeChange is what changed of one route configuration.
type routeChange struct {
	shell bool
	hosts []string // full names
}

// set makes name's entry r, or none if r is nil.
func (x hostTxn) set(name string, r *Resource) {
	old, _ := x.hosts.Get(name)
	if old != nil && r != nil && old.Digest() == r.Digest() {
		return
	}
	put(x.hosts, name, r)
	indexDomains(x.domains, old, r)
}

// route derives what is served for one route configuration: the
// RouteConfiguration itself, nil if there is none, and in x its virtual hosts
// that go over VHDS. When the shell changed, which of the hosts do so may have
// changed for all of them; otherwise only the changed ones are looked at.
func (d *derivation) route(name string, change routeChange, x hostTxn) *Resource {
	namespace, shell := d.owner(name)
	split := shell == nil || onDemand(shell.Resource)
	if change.shell {
		d.hostsAnew(name, namespace, shell, split, x)
		d.insideAnew(name, namespace, shell, split, x)
	} else {
		if split {
			for _, host := range change.hosts {
				x.set(host, d.document(host, namespace, shell != nil))
			}
		}
		if shell != nil {
			d.insideOf(name, namespace, change.hosts, split, x)
		}
	}
	if shell == nil {
		return nil
	}
	return compose(shell.Resource, x.inside.Commit())
}

// insideAnew finds out again which hosts stand inside of a route
// configuration; without a shell none do.
func (d *derivation) insideAnew(route, namespace string, shell *deltaplane.Entry, split bool, x hostTxn) {
	for key := range d.old.inside.Prefix(shelfOf(route)) {
		x.inside.Delete(key)
	}
	if shell == nil {
		return
	}
	for name, e := range d.hosts(namespace, route) {
		if e.Inline || !split {
			x.inside.Put(shelfOf(route)+name, of(e.Resource))
		}
	}
}

// insideOf brings those of the hosts up to date which stand inside of a route
// configuration.
func (d *derivation) insideOf(route, namespace string, hosts []string, split bool, x hostTxn) {
	for _, host := range hosts {
		key := shelfOf(route) + host
		e, ok := d.snapshot.Get(deltaplane.Key{Namespace: namespace, Type: resource.VirtualHost, Name: host})
		if ok && (e.Inline || !split) {
			x.inside.Put(key, of(e.Resource))
		} else {
			x.inside.Delete(key)
		}
	}
}

// owner is the last namespace that has the route configuration, and its shell.
func (d *derivation) owner(name string) (string, *deltaplane.Entry) {
	for i := len(d.namespaces) - 1; i >= 0; i-- {
		if e, ok := d.snapshot.Get(deltaplane.Key{Namespace: d.namespaces[i], Type: resource.Route, Name: name}); ok {
			return d.namespaces[i], e
		}
	}
	return "", nil
}

// hosts goes through one namespace's virtual hosts of one route
// configuration, by name.
func (d *derivation) hosts(namespace, route string) func(func(string, *deltaplane.Entry) bool) {
	prefix := deltaplane.TypePrefix(namespace, resource.VirtualHost) + route + "/"
	return func(yield func(string, *deltaplane.Entry) bool) {
		for path, e := range d.snapshot.Tree().Prefix(prefix) {
			name := deltaplane.KeyOf(path).Name
			if of, _, ok := resource.HostOf(name); ok && of == route && !yield(name, e) {
				return
			}
		}
	}
}

// document is the virtual host called name that goes over VHDS, nil if none:
// hosts belong to the namespace of their route configuration; without one,
// the last namespace that has the host counts.
func (d *derivation) document(name, namespace string, owned bool) *Resource {
	for i := len(d.namespaces) - 1; i >= 0; i-- {
		if owned && d.namespaces[i] != namespace {
			continue
		}
		k := deltaplane.Key{Namespace: d.namespaces[i], Type: resource.VirtualHost, Name: name}
		if e, ok := d.snapshot.Get(k); ok && !e.Inline {
			return of(e.Resource)
		}
	}
	return nil
}

// hostsAnew sets all virtual hosts of a route configuration that go over VHDS.
func (d *derivation) hostsAnew(route, namespace string, shell *deltaplane.Entry, split bool, x hostTxn) {
	names := map[string]bool{}
	for name := range d.old.tables.of(resource.VirtualHost).Prefix(route + "/") {
		if of, _, _ := resource.HostOf(name); of == route {
			names[name] = true
		}
	}
	if split {
		for _, n := range d.namespaces {
			for name := range d.hosts(n, route) {
				names[name] = true
			}
		}
	}
	for name := range names {
		var r *Resource
		if split {
			r = d.document(name, namespace, shell != nil)
		}
		x.set(name, r)
	}
}
