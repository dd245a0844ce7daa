package deltaplane

import (
	"cmp"
	"context"
	"crypto/sha256"
	"slices"

	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
)

// Action is what a plan does with one resource.
type Action string

// The actions of a Step.
const (
	Added     Action = "added"
	Changed   Action = "changed"
	Unchanged Action = "unchanged"
	Removed   Action = "removed"
)

// Step is one resource of a Plan. Old and New are whole: a route
// configuration with its inline hosts is one step, and hosts of their own are
// steps of their own. An inline host that changes without its route
// configuration being named, as in a patch, is a step too.
type Step struct {
	Key      Key
	Action   Action             // Changed also where only the owner does
	Old, New *resource.Resource // nil where absent; New is nil for Unchanged
}

// Plan is what a change does, or with DryRun would do.
type Plan struct {
	Base     Version // the snapshot that it was made on
	Version  Version // after it; Base when nothing changed or DryRun
	Steps    []Step  // sorted by key
	Warnings resource.Problems
}

// plan runs change, which makes its changes to the batch and returns the keys
// that the caller named, then checks and commits the result.
func (s *Store) plan(ctx context.Context, o Options, change func(*Batch) (*edited, error)) (*Plan, error) {
	var p *Plan
	run := func(b *Batch) error {
		b.Author, b.Message = o.Author, o.Message
		if err := o.check(b.base); err != nil {
			return err
		}
		e, err := change(b)
		if err != nil {
			return err
		}
		p, err = s.planOf(b, e, o)
		return err
	}
	if o.DryRun {
		b := newBatch(s.Latest())
		if err := run(b); err != nil {
			return nil, err
		}
		_, err := b.finish()
		return p, err
	}
	v, err := s.Commit(ctx, run)
	if err != nil {
		return nil, err
	}
	p.Version = v
	return p, nil
}

// planOf describes what e did to b.
func (s *Store) planOf(b *Batch, e *edited, o Options) (*Plan, error) {
	if b.err != nil {
		return nil, b.err
	}
	tree := b.txn.Commit()
	p := &Plan{Base: b.base.version, Version: b.base.version, Warnings: e.warnings}
	checked := e.named
	if e.part {
		checked = nil
	}
	problems, err := s.dangling(b.base.tree, tree, checked, o)
	if err != nil {
		return nil, err
	}
	p.Warnings = append(p.Warnings, problems...)
	p.Steps = stepsOf(b.base.tree, tree, e.named)
	return p, nil
}

// edited is what a change named and what is to be said about it.
type edited struct {
	named    map[Key]bool // also those that stay as they are
	part     bool         // only a part of them was named: what stays is not checked
	warnings resource.Problems
}

func newEdited() *edited { return &edited{named: map[Key]bool{}} }

func (e *edited) warn(k Key, message string) {
	e.warnings = append(e.warnings, resource.Problem{Type: k.Type.Short(), Name: k.Name, Message: message, Warning: true})
}

// stepsOf lists what differs between the trees, and what was named and does
// not.
// Cost: O(changes), and O(hosts) for each route configuration that was named.
func stepsOf(before, after radix.Tree[*Entry], named map[Key]bool) []Step {
	changed := map[Key]bool{}
	var steps []Step
	for c := range radix.Diff(before, after) {
		k := KeyOf(c.Key)
		if k.Type == resource.VirtualHost && (c.HasOld && c.Old.Inline || c.HasNew && c.New.Inline) {
			if route, ok := RouteOf(k); ok && (named[route] || changed[route] || differs(before, after, route)) {
				if !changed[route] {
					changed[route] = true
					steps = append(steps, stepOf(before, after, route))
				}
				continue
			}
		}
		if !changed[k] {
			changed[k] = true
			steps = append(steps, stepOf(before, after, k))
		}
	}
	for k := range named {
		if !changed[k] {
			if e, ok := after.Get(k.Path()); ok {
				steps = append(steps, Step{Key: k, Action: Unchanged, Old: e.Resource})
			}
		}
	}
	slices.SortFunc(steps, func(a, b Step) int { return cmp.Compare(a.Key.Path(), b.Key.Path()) })
	return steps
}

// differs reports whether the entry at k does.
func differs(before, after radix.Tree[*Entry], k Key) bool {
	a, hadOne := before.Get(k.Path())
	b, hasOne := after.Get(k.Path())
	return hadOne != hasOne || hadOne && a.Sum() != b.Sum()
}

func stepOf(before, after radix.Tree[*Entry], k Key) Step {
	step := Step{Key: k, Action: Changed, Old: whole(before, k), New: whole(after, k)}
	switch {
	case step.Old == nil:
		step.Action = Added
	case step.New == nil:
		step.Action = Removed
	}
	return step
}

// whole is the resource at k as users wrote it: a route configuration with
// its inline hosts. nil without one.
func whole(tree radix.Tree[*Entry], k Key) *resource.Resource {
	e, ok := tree.Get(k.Path())
	if !ok {
		return nil
	}
	if k.Type != resource.Route {
		return e.Resource
	}
	var hosts []*resource.Resource
	for _, h := range hostsOf(tree, k) {
		if h.Inline {
			hosts = append(hosts, h.Resource)
		}
	}
	if len(hosts) == 0 {
		return e.Resource
	}
	b := resource.JoinHosts(e.Resource, hosts)
	d := resource.Digest(sha256.Sum256(b))
	return resource.FromStored(k.Type, k.Name, d, 0, []resource.Segment{{Digest: d, Bytes: b}}).WithTTL(e.Resource.TTL())
}
