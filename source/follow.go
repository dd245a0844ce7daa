package source

import (
	"context"
	"errors"
	"fmt"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
)

// Look takes note of what others have done to the store since the last look,
// and tells whether it concerns the source.
// Cost: O(changes since).
func (s *Syncer) Look() (touched bool) {
	select {
	case <-s.watch.Changed():
		s.watch = s.cfg.Store.Watch()
	default:
	}
	now := s.cfg.Store.Latest()
	touched = s.touched(s.seen, now)
	s.seen = now
	return touched
}

// Follow looks at the store. What kept the source from committing may be gone;
// then it commits. What somebody changed on purpose is reported, and left as
// it is. The error is as of Sync.
// Cost: O(changes since), and O(resources of the source) when they concern it.
func (s *Syncer) Follow(ctx context.Context) error {
	touched := s.Look()
	switch s.outcome {
	case Unavailable:
		return s.commit(ctx)
	case Conflict, Shrink:
		if touched {
			return s.commit(ctx)
		}
	case InSync, Overridden:
		if touched && !s.hindered {
			return s.compare(ctx)
		}
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
	default: // it could not be committed now, but was before
		s.settle(s.seen.Version(), nil)
	}
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
		s.conclude(Overridden, append(problems, s.input.Problems...))
		return
	}
	s.settle(plan.Base, plan.Warnings)
}

// undoes says what the store has, by what would bring the source's state back.
var undoes = map[deltaplane.Action]string{
	deltaplane.Added: "it is gone", deltaplane.Changed: "it is different", deltaplane.Removed: "the source does not have it",
}
