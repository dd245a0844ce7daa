package source

import (
	"context"
	"errors"
	"fmt"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
)

// ErrOvertaken is for Input.Check: the store has what the input may be older
// than, so that it must be read again.
var ErrOvertaken = errors.New("another replica was faster")

// Follow looks at what others have done to the store since the last look. What
// kept the source from committing may be gone; then it commits. What somebody
// changed on purpose is reported, and left as it is. The error is as of Sync.
// Cost: O(changes since), and O(resources of the source) when they concern it.
func (s *Syncer) Follow(ctx context.Context) error {
	select {
	case <-s.watch.Changed():
		if _, err := s.watch.Next(ctx); err != nil {
			return err
		}
	default:
	}
	now := s.cfg.Store.Latest()
	touched := s.touched(s.seen, now)
	s.seen = now
	switch state := s.outcome; {
	case state == Unavailable:
		return s.commit(ctx)
	case !touched:
	case state == Conflict || state == Shrink:
		return s.commit(ctx)
	case state == InSync || state == Overridden:
		return s.compare(ctx)
	}
	return nil
}

// touched reports whether something of the source differs between two
// snapshots.
func (s *Syncer) touched(before, now *deltaplane.Snapshot) bool {
	for c := range radix.Diff(before.Tree(), now.Tree()) {
		if s.paths[c.Key] || c.HasOld && c.Old.Owner == s.options.Owner || c.HasNew && c.New.Owner == s.options.Owner {
			return true
		}
	}
	return false
}

// compare reports whether the store still has what the source has.
func (s *Syncer) compare(ctx context.Context) error {
	o := s.options
	o.DryRun, o.AllowShrink, o.Keep = true, true, s.input.Keep
	plan, err := s.cfg.Store.Apply(ctx, s.input.Documents, true, o)
	switch {
	case err == nil:
		s.judge(plan)
	case errors.Is(err, deltaplane.ErrOwned):
		state, problems := s.explain(err)
		s.conclude(state, problems)
	}
	// Otherwise the source could not be committed now, but it was before.
	return context.Cause(ctx)
}

// judge reports what the plan of an input that was committed before would
// change by now.
func (s *Syncer) judge(plan *deltaplane.Plan) {
	var problems resource.Problems
	for _, step := range plan.Steps {
		if step.Action == deltaplane.Unchanged {
			continue
		}
		problems = append(problems, resource.Problem{Type: step.Key.Type.Short(), Name: step.Key.Name,
			Message: fmt.Sprintf("was changed past this source, which has something else for it (%s); the next change of the source brings its own back", undoes[step.Action])})
	}
	if problems != nil {
		s.conclude(Overridden, problems)
		return
	}
	if s.outcome == Overridden && !s.hindered {
		s.settle(plan.Base, plan.Warnings)
	}
}

// undoes says what the store has, by what would bring the source's state back.
var undoes = map[deltaplane.Action]string{
	deltaplane.Added: "it is gone", deltaplane.Changed: "it is different", deltaplane.Removed: "the source does not have it",
}
