package deltaplane

import (
	"fmt"
	"slices"
	"sync"

	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/resource/deltaplanev1"
)

// audience is those who receive the same namespaces: a fleet, or without any
// fleet everybody.
type audience struct {
	fleet      string // "" for everybody
	namespaces []string
	static     map[string]bool // clusters of the proxies' bootstrap
}

// has reports whether the audience receives the namespace.
func (a *audience) has(namespace string) bool { return slices.Contains(a.namespaces, namespace) }

// sees reports whether the audience receives the resource at k, rather than
// one of a later namespace in its place. A virtual host comes and goes with
// its route configuration.
func (a *audience) sees(tree radix.Tree[*Entry], k Key) bool {
	same := k
	if route, ok := RouteOf(k); ok {
		same = route
	}
	for _, later := range a.namespaces[slices.Index(a.namespaces, k.Namespace)+1:] {
		same.Namespace = later
		if has(tree, same) {
			return false
		}
	}
	return true
}

// resolves reports whether the audience receives a resource of that name.
func (a *audience) resolves(tree radix.Tree[*Entry], t resource.Type, name string) bool {
	if t == resource.Cluster && a.static[name] {
		return true
	}
	return slices.ContainsFunc(a.namespaces, func(namespace string) bool {
		return has(tree, Key{namespace, t, name})
	})
}

// lacks ends the sentence "refers to X, which".
func (a *audience) lacks() string {
	if a.fleet == "" {
		return fmt.Sprintf("does not exist in namespace %q", a.namespaces[0])
	}
	return fmt.Sprintf("fleet %q does not receive", a.fleet)
}

// name says for whom something holds; nothing when it is everybody.
func (a *audience) name() string {
	if a.fleet == "" {
		return ""
	}
	return fmt.Sprintf(" in fleet %q", a.fleet)
}

// audiences are those of all fleets.
type audiences []*audience

// with lists who receives the namespace: nobody's namespace is an audience of
// its own.
func (all audiences) with(namespace string) audiences {
	var list audiences
	for _, a := range all {
		if a.has(namespace) {
			list = append(list, a)
		}
	}
	if len(list) == 0 {
		return audiences{{namespaces: []string{namespace}}}
	}
	return list
}

// audienceCache remembers the audiences of the fleets that it saw last.
type audienceCache struct {
	mu     sync.Mutex // guards what follows
	fleets radix.Hash
	list   audiences
}

// of lists the audiences of tree's fleets. Cost: O(1) while fleets stay.
func (c *audienceCache) of(tree radix.Tree[*Entry]) audiences {
	prefix := TypePrefix("", resource.Fleet)
	hash := tree.PrefixHash(prefix)
	c.mu.Lock()
	defer c.mu.Unlock()
	if hash == c.fleets {
		return c.list
	}
	c.fleets, c.list = hash, nil
	for _, e := range tree.Prefix(prefix) {
		m, err := e.Resource.Message()
		fleet, ok := m.(*deltaplanev1.Fleet)
		if err != nil || !ok {
			continue
		}
		a := &audience{fleet: fleet.Name, namespaces: fleet.Namespaces, static: map[string]bool{}}
		for _, name := range fleet.StaticResources {
			a.static[name] = true
		}
		c.list = append(c.list, a)
	}
	return c.list
}
