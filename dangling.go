package deltaplane

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
)

// maxDangling is how many dangling references a plan lists.
const maxDangling = 100

// dangling lists what refers to nothing since the change from before to
// after: what the changed resources refer to, and the named ones that stay as
// they are, and who still refers to the removed ones. With o.StrictRefs they
// are ErrDangling. A fleet that changes has everything that it receives checked.
//
// Names are looked for in what each fleet receives that has the namespace;
// a namespace that no fleet has is looked at by itself.
// Cost: O(changes, fleets, and size of what is named and stays); a removal
// after a while also O(changes since the last one).
func (s *Store) dangling(before, after radix.Tree[*Entry], named map[Key]bool, o Options) (resource.Problems, error) {
	c := &danglingCheck{
		audiences: s.audiences.of(after), after: after,
		seen: map[string]bool{}, warning: !o.StrictRefs,
	}
	var removed []Key
	changed := map[Key]bool{}
	for d := range radix.Diff(before, after) {
		k := KeyOf(d.Key)
		changed[k] = true
		switch {
		case !d.HasNew:
			removed = append(removed, k)
		case k.Type == resource.Fleet:
			c.fleet(k.Name)
		default:
			c.references(k, freshReferences(d.Old, d.New))
		}
	}
	c.unchanged(named, changed)
	if len(removed) > 0 {
		users := s.users.of(before, removed)
		for _, k := range removed {
			c.removed(k, users[target{k.Type, k.Name}])
		}
	}
	if len(c.problems) > 0 && o.StrictRefs {
		return nil, fmt.Errorf("%w: %w", ErrDangling, c.problems)
	}
	return c.problems, nil
}

// danglingCheck collects the dangling references of one change.
type danglingCheck struct {
	audiences audiences
	after     radix.Tree[*Entry]
	problems  resource.Problems
	seen      map[string]bool // messages
	warning   bool
}

// unchanged checks what was named and did not change, hosts inside of route
// configurations included.
func (c *danglingCheck) unchanged(named, changed map[Key]bool) {
	for _, k := range slices.SortedFunc(maps.Keys(named), func(a, b Key) int { return strings.Compare(a.Path(), b.Path()) }) {
		e, ok := c.after.Get(k.Path())
		if !ok {
			continue
		}
		if !changed[k] {
			c.references(k, e.Resource.References())
		}
		if k.Type != resource.Route {
			continue
		}
		for host, h := range hostsOf(c.after, k) {
			if h.Inline && !changed[host] {
				c.references(host, h.Resource.References())
			}
		}
	}
}

// references checks what the resource at k refers to.
func (c *danglingCheck) references(k Key, refs []resource.Reference) {
	for _, ref := range refs {
		for _, a := range c.audiences.with(k.Namespace) {
			if a.sees(c.after, k) && !a.resolves(c.after, ref.Type, ref.Name) {
				c.report(k, c.path(k, ref), fmt.Sprintf("refers to %s %q, which %s", ref.Type.Short(), ref.Name, a.lacks()))
				break
			}
		}
	}
}

// path is the field that holds ref in the whole resource: ref may come from a
// part of it, where indexes differ.
func (c *danglingCheck) path(k Key, ref resource.Reference) string {
	if len(c.problems) >= maxDangling {
		return ""
	}
	if e, ok := c.after.Get(k.Path()); ok {
		for _, r := range e.Resource.References() {
			if r.Type == ref.Type && r.Name == ref.Name {
				return r.Path
			}
		}
	}
	return ref.Path
}

// removed checks who still refers to k.
func (c *danglingCheck) removed(k Key, users []string) {
	for _, a := range c.audiences.with(k.Namespace) {
		if a.resolves(c.after, k.Type, k.Name) {
			continue
		}
		for _, path := range users {
			user := KeyOf(path)
			if a.has(user.Namespace) && a.sees(c.after, user) && refersTo(c.after, user, k) {
				c.report(k, "", fmt.Sprintf("still used by %s/%s%s", user.Type.Short(), user.Name, a.name()))
			}
		}
	}
}

// refersTo reports whether user refers to k.
func refersTo(tree radix.Tree[*Entry], user, k Key) bool {
	e, ok := tree.Get(user.Path())
	return ok && slices.ContainsFunc(e.Resource.References(), func(r resource.Reference) bool {
		return r.Type == k.Type && r.Name == k.Name
	})
}

// fleet checks everything that the fleet receives.
func (c *danglingCheck) fleet(name string) {
	for _, a := range c.audiences {
		if a.fleet != name {
			continue
		}
		for _, namespace := range a.namespaces {
			for path, e := range c.after.Prefix(NamespacePrefix(namespace)) {
				k := KeyOf(path)
				if !a.sees(c.after, k) {
					continue
				}
				for _, ref := range e.Resource.References() {
					if !a.resolves(c.after, ref.Type, ref.Name) {
						c.report(k, ref.Path, fmt.Sprintf("refers to %s %q, which %s", ref.Type.Short(), ref.Name, a.lacks()))
					}
				}
			}
		}
	}
}

func (c *danglingCheck) report(k Key, path, message string) {
	id := k.Path() + "\x00" + message
	if c.seen[id] || len(c.problems) > maxDangling {
		return
	}
	c.seen[id] = true
	if len(c.problems) == maxDangling {
		c.problems = append(c.problems, resource.Problem{Message: "there are more dangling references", Warning: c.warning})
		return
	}
	c.problems = append(c.problems, resource.Problem{Type: k.Type.Short(), Name: k.Name, Path: path, Message: message, Warning: c.warning})
}

// freshReferences lists what e refers to, of a virtual host where it differs
// from old: changed fields are whole, so that they parse as a smaller host.
// Cost: O(changed routes) for a host, else O(e).
func freshReferences(old, e *Entry) (refs []resource.Reference) {
	r := e.Resource
	switch {
	case old == nil || r.Type() != resource.VirtualHost:
		return r.References()
	case old.Resource.Digest() == r.Digest():
		return nil
	}
	for h := range resource.Hunks(old.Resource, r) {
		came := resource.FromStored(r.Type(), r.Name(), resource.Digest{}, 0, []resource.Segment{{Bytes: h.Came}})
		refs = append(refs, came.References()...)
	}
	return refs
}

// freshParts cuts e into resources that refer to the same together, and leaves
// out those that old has, too. A large virtual host has a part per segment:
// segments are whole fields, so one of them parses as a smaller host. Any
// other resource is one part.
func freshParts(old, e *Entry) []*resource.Resource {
	r := e.Resource
	if old != nil && old.Resource.Digest() == r.Digest() {
		return nil
	}
	if r.Type() != resource.VirtualHost || len(r.Segments()) < 2 {
		return []*resource.Resource{r}
	}
	skip := map[resource.Digest]bool{}
	if old != nil {
		for _, s := range old.Resource.Segments() {
			skip[s.Digest] = true
		}
	}
	var parts []*resource.Resource
	for _, s := range r.Segments() {
		if !skip[s.Digest] {
			skip[s.Digest] = true
			parts = append(parts, resource.FromStored(r.Type(), r.Name(), s.Digest, 0, []resource.Segment{s}))
		}
	}
	return parts
}
