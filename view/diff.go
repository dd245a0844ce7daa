package view

import (
	"cmp"
	"slices"

	"github.com/deltaplane/deltaplane/internal/invariant"
	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
)

// Change is what a response has to tell. Names are ascending in each list.
type Change struct {
	Upserts []Upsert
	Removed []string // the client holds it, or may, and it is gone
	Missing []string // asked for, and not there
}

// Upsert is one resource to send.
type Upsert struct {
	*Resource
	Aliases []string // names it was asked for under, besides its own (VHDS)
	New     bool     // the client does not hold it at all, for all we know
}

// Empty reports whether there is nothing to tell.
func (c *Change) Empty() bool { return len(c.Upserts)+len(c.Removed)+len(c.Missing) == 0 }

// Limits hold parts of a difference back. The zero value holds back nothing
// but removals.
type Limits struct {
	Removals bool                   // let removals out
	Full     bool                   // the response holds everything: what it cannot repeat is removed by it
	Scoped   bool                   // the target is a Scope: all in it is wanted, under whatever name
	Mortal   Table                  // what of the target has a TTL
	Bytes    int                    // bodies of one response; 0: any. A larger resource goes alone.
	Alone    func(Step) bool        // true: nothing else may be in the response; nil: anything may
	Crowd    int                    // with more than so many that are Alone, they go together all the same
	Hold     func(Step) bool        // true: not yet; nil: everything may go
	Keep     func(name string) bool // true: it may not be removed yet; nil: whatever Removals says
}

// Outcome is a decision: what to send, and what the client holds once it has it.
type Outcome struct {
	Change
	After   Held
	Waiting []string // removals held back, ascending
	Gated   []string // what Limits.Hold held back, ascending
	More    bool     // upserts held back by Limits.Bytes or Limits.Alone
	aliased bool
}

// Step is one name that may need something.
type Step struct {
	Name string
	Want *Resource // nil: it is to be removed
	have mark
}

// Known reports whether the client has had some state of the resource.
func (s Step) Known() bool { return s.have.held != nil }

// Held reports whether the client has an older state of the resource.
func (s Step) Held() bool { return s.have.kind == holds }

// Diff decides what brings a client from held to target, as far as sub wants it.
// Cost: O(changes) for the wildcard, O(min(changes, names)) otherwise, plus
// what is particular in held; O(1) when nothing differs.
// INVARIANT: when nothing was held back, outcome.After is in sync with target.
func Diff(held Held, target Table, sub *Subscription, limits Limits) Outcome {
	if held.InSync(target) {
		return Outcome{After: held}
	}
	out := Outcome{}
	kept := map[string]mark{}
	budget := limits.Bytes
	single := false // what is in the response goes alone
	all := steps(held, target, sub, limits.Scoped)
	limits.disperse(all)
	for _, s := range all {
		switch {
		case s.done():
		case s.Want == nil && s.have.kind == asked:
			out.Missing = append(out.Missing, s.Name)
		case limits.Hold != nil && limits.Hold(s):
			out.Gated = append(out.Gated, s.Name)
			kept[s.Name] = s.have
		case s.Want == nil && !limits.removes(s) && !(limits.Full && s.have.held == nil):
			out.Waiting = append(out.Waiting, s.Name)
			kept[s.Name] = s.have
		case s.Want == nil:
			out.Removed = append(out.Removed, s.Name)
		case len(out.Upserts) > 0 && (limits.Bytes > 0 && s.Want.Size() > budget || single || limits.alone(s)):
			out.More = true
			if limits.Alone == nil && held.ends(s.Name, sub, limits.Scoped) {
				out.finish(target.Before(s.Name), limits.Mortal.Before(s.Name), kept)
				return out
			}
			kept[s.Name] = s.have
		default:
			budget -= s.Want.Size()
			single = limits.alone(s)
			out.upsert(s)
		}
	}
	out.finish(target, limits.Mortal, kept)
	if invariant.Enabled && out.Settled() {
		invariant.Check(out.After.InSync(target), "nothing was held back, but the client is not in sync")
	}
	return out
}

// finish completes an outcome after which the client has base, but for what is
// kept.
func (o *Outcome) finish(base, mortal Table, kept map[string]mark) {
	if o.aliased {
		o.mergeAliases()
	}
	o.After = Held{base: base, mortal: mortal, marks: marksOf(kept)}
}

// ends reports whether the client has nothing from name on, and wants all. What
// it has after a part of a large response is then the beginning of the target,
// which costs nothing to say, rather than all but many names.
func (h Held) ends(name string, sub *Subscription, scoped bool) bool {
	if h.marks != nil || scoped || !sub.wildcard || len(sub.names)+len(sub.globs) > 0 {
		return false
	}
	last, some := h.base.Last()
	return h.fresh || !some || last < name
}

// disperse lets resources go together that would go alone, if they are a crowd.
func (l *Limits) disperse(all []Step) {
	if l.Alone == nil {
		return
	}
	n := 0
	for _, s := range all {
		if !s.done() && s.Want != nil && l.Alone(s) {
			n++
		}
	}
	if n > l.Crowd {
		l.Alone = nil
	}
}

func (l Limits) alone(s Step) bool { return l.Alone != nil && l.Alone(s) }

// removes reports whether the removal s may go out.
func (l Limits) removes(s Step) bool { return l.Removals && (l.Keep == nil || !l.Keep(s.Name)) }

// done reports whether the client has what it should.
func (s Step) done() bool {
	if s.Want != nil {
		return s.have.kind == holds && s.have.digest == s.Want.Digest()
	}
	// Where an alias ended, the resource itself stands under its own name.
	return s.have.kind == absent || s.have.held != nil && s.have.held.Name() != s.Name
}

// upsert adds one resource.
func (o *Outcome) upsert(s Step) {
	// Unknown and never accepted, it may be missing as well.
	isNew := s.have.kind == absent || s.have.kind == asked || s.have.kind == unknown && s.have.held == nil
	o.Upserts = append(o.Upserts, Upsert{Resource: s.Want, New: isNew})
	if s.Name != s.Want.Name() {
		o.Upserts[len(o.Upserts)-1].Aliases = []string{s.Name}
		o.aliased = true
	}
}

// mergeAliases leaves one entry for each resource: a name may stand only once
// in a response (xDS protocol, "Duplicate Resource Names").
func (o *Outcome) mergeAliases() {
	at := make(map[string]int, len(o.Upserts))
	merged := o.Upserts[:0]
	for _, u := range o.Upserts {
		if i, twice := at[u.Name()]; twice {
			merged[i].Aliases = append(merged[i].Aliases, u.Aliases...)
			continue
		}
		at[u.Name()] = len(merged)
		merged = append(merged, u)
	}
	o.Upserts = merged
}

// steps lists the names that may differ, ascending.
func steps(held Held, target Table, sub *Subscription, scoped bool) []Step {
	list := make([]Step, 0, atMost(held, target, sub, scoped))
	add := func(name string, have mark, want *Resource) {
		if _, particular := held.marks.get(name); !particular && (scoped || sub.Contains(name)) {
			list = append(list, Step{name, want, have})
		}
	}
	switch {
	case held.fresh:
		freshSteps(target, sub, scoped, add)
	case sub.wildcard || scoped:
		for c := range radix.Diff(held.base, target) {
			add(c.Key, markOf(c.Old), c.New)
		}
	default:
		namedSteps(held.base, target, sub, add)
	}
	for name, have := range held.marks.all() {
		if sub.Contains(name) || scoped && have.kind != asked {
			want, _ := target.Get(name)
			list = append(list, Step{name, want, have})
		}
	}
	slices.SortFunc(list, func(a, b Step) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// atMost is about how many steps there will be, where they are many.
func atMost(held Held, target Table, sub *Subscription, scoped bool) int {
	n := held.Marked()
	switch {
	case !sub.wildcard && !scoped:
	case held.fresh:
		n = max(n, target.Len())
	default:
		n = max(n, target.Len()-held.base.Len())
	}
	return n
}

// freshSteps is for a client that holds nothing: all there is, and each name
// that it asked for.
func freshSteps(target Table, sub *Subscription, scoped bool, add func(string, mark, *Resource)) {
	all := sub.wildcard || scoped
	if all {
		for name, want := range target.All() {
			add(name, mark{kind: absent}, want)
		}
	}
	for _, name := range sub.names {
		want, ok := target.Get(name)
		if !resource.IsCollection(name) && (!ok || !all) {
			add(name, mark{kind: asked}, want)
		}
	}
	for _, glob := range sub.globs {
		empty := true
		for name, want := range Members(target, glob) {
			if empty = false; !all && !sub.Named(name) {
				add(name, mark{kind: asked}, want)
			}
		}
		if empty {
			add(glob, mark{kind: asked}, nil)
		}
	}
}

// namedSteps looks at the changes or at the names, whichever are fewer; of
// collections always at the changes.
func namedSteps(base, target Table, sub *Subscription, add func(string, mark, *Resource)) {
	type change struct {
		name      string
		old, want *Resource
	}
	var changes []change
	seen := 0
	for c := range radix.Diff(base, target) {
		if seen++; seen > len(sub.names) {
			break
		}
		changes = append(changes, change{c.Key, c.Old, c.New})
	}
	if seen <= len(sub.names) {
		for _, c := range changes {
			add(c.name, markOf(c.old), c.want)
		}
		return
	}
	for _, name := range sub.names {
		old, _ := base.Get(name)
		want, _ := target.Get(name)
		if old != want {
			add(name, markOf(old), want)
		}
	}
	for _, glob := range sub.globs {
		for c := range radix.DiffPrefix(base, target, resource.CollectionPrefix(glob)) {
			if resource.CollectionOf(c.Key) == glob && !sub.Named(c.Key) {
				add(c.Key, markOf(c.Old), c.New)
			}
		}
	}
}

// markOf says what a client holds that has r, which may be nil.
func markOf(r *Resource) mark {
	if r == nil {
		return mark{kind: absent}
	}
	return mark{holds, r.Digest(), r}
}

// Settled reports whether nothing was held back.
func (o *Outcome) Settled() bool { return len(o.Waiting) == 0 && len(o.Gated) == 0 && !o.More }
