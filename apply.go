package deltaplane

import (
	"context"
	"fmt"
	"strings"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
)

// Apply makes the store hold docs, as one commit. With prune, what the owner
// has in the namespace and docs lack is removed; fleets, which stand in no
// namespace, are left alone. Without prune nothing is removed but hosts that
// stood inside a route configuration and no longer do.
//
// All resources of the other owners that docs would change are named by
// ErrOwned. A resource that another owner has with equal content stays theirs.
func (s *Store) Apply(ctx context.Context, docs []resource.Document, prune bool, o Options) (*Plan, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	want, err := intentOf(docs, o.Namespace)
	if err != nil {
		return nil, err
	}
	return s.plan(ctx, o, func(b *Batch) (*edited, error) { return applyTo(b, want, prune, o) })
}

// applyTo is Apply on one batch.
func applyTo(b *Batch, want intent, prune bool, o Options) (*edited, error) {
	e := newEdited()
	var others disputes
	for _, w := range want {
		if !w.inline {
			e.named[w.key] = true
		}
		if old, ok := b.Get(w.key); ok && others.keep(w.key, old, w, o) {
			continue
		}
		b.Put(w.key, Entry{Resource: w.resource, Owner: o.Owner, Inline: w.inline})
	}
	keep := want.keys()
	for k := range keep {
		if k.Type == resource.Route {
			dropHosts(b, k, keep, o)
		}
	}
	if prune {
		pruneOwn(b, keep, o)
	}
	if err := others.err(); err != nil {
		return nil, err
	}
	if prune && !o.AllowShrink {
		if err := shrinks(b, o.Namespace); err != nil {
			return nil, err
		}
	}
	warnOfHosts(b, e)
	return e, nil
}

// dropHosts removes what once stood inside the route configuration, by the
// same owner, and no longer does.
func dropHosts(b *Batch, route Key, keep map[Key]bool, o Options) {
	for k, h := range hostsOf(b.base.tree, route) {
		if h.Inline && !keep[k] && o.mayChange(h) {
			b.Delete(k)
		}
	}
}

// pruneOwn removes what the owner has in the namespace beyond keep and o.Keep.
// Cost: O(entries of the namespace).
func pruneOwn(b *Batch, keep map[Key]bool, o Options) {
	for path, e := range b.base.tree.Prefix(NamespacePrefix(o.Namespace)) {
		if k := KeyOf(path); e.Owner == o.Owner && !keep[k] && (o.Keep == nil || !o.Keep(k)) {
			b.Delete(k)
		}
	}
}

// wanted is one entry that an input asks for.
type wanted struct {
	key      Key
	resource *resource.Resource
	inline   bool
	from     resource.Document
}

// intent is what an input asks for, in its order.
type intent []wanted

func (w intent) keys() map[Key]bool {
	keys := make(map[Key]bool, len(w))
	for _, one := range w {
		keys[one.key] = true
	}
	return keys
}

// intentOf takes documents apart into entries. Two for one key are Problems.
func intentOf(docs []resource.Document, namespace string) (intent, error) {
	var want intent
	var problems resource.Problems
	at := map[Key]resource.Document{}
	add := func(w wanted) {
		if first, ok := at[w.key]; ok {
			problems = append(problems, resource.Problem{
				File: w.from.File, Line: w.from.Line, Type: w.key.Type.Short(), Name: w.key.Name,
				Message: fmt.Sprintf("stands twice: also at %s:%d", first.File, first.Line),
			})
			return
		}
		if strings.HasPrefix(w.key.Name, shape.Prefix) {
			problems = append(problems, resource.Problem{
				File: w.from.File, Line: w.from.Line, Type: w.key.Type.Short(), Name: w.key.Name,
				Message: fmt.Sprintf("names that begin with %q are those of the parts of large route configurations: choose another", shape.Prefix),
			})
		}
		at[w.key] = w.from
		want = append(want, w)
	}
	for _, d := range docs {
		r := d.Resource
		k := KeyIn(namespace, r.Type(), r.Name())
		if r.Type() != resource.Route {
			add(wanted{k, r, false, d})
			continue
		}
		shell, hosts, err := r.SplitHosts()
		if err != nil {
			problems = append(problems, resource.Problem{File: d.File, Line: d.Line, Type: r.Type().Short(), Name: r.Name(), Message: err.Error()})
			continue
		}
		add(wanted{k, shell, false, d})
		for _, h := range hosts {
			add(wanted{KeyIn(namespace, h.Type(), h.Name()), h, true, d})
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return want, nil
}
