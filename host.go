package deltaplane

import (
	"iter"

	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
)

// RouteOf is the route configuration that a virtual host belongs to; ok is
// false if host is none.
func RouteOf(host Key) (Key, bool) {
	if host.Type != resource.VirtualHost {
		return Key{}, false
	}
	route, _, ok := resource.HostOf(host.Name)
	return Key{host.Namespace, resource.Route, route}, ok
}

// hostsOf goes through the virtual hosts of a route configuration, inline
// ones and those of their own, by name.
func hostsOf(tree radix.Tree[*Entry], route Key) iter.Seq2[Key, *Entry] {
	return func(yield func(Key, *Entry) bool) {
		for path, e := range tree.Prefix(TypePrefix(route.Namespace, resource.VirtualHost) + route.Name + "/") {
			k := KeyOf(path)
			// "a/b/c" is host c of "a/b", not of "a".
			if owner, ok := RouteOf(k); ok && owner == route && !yield(k, e) {
				return
			}
		}
	}
}
