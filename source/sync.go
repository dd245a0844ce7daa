package source

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
)

// Store is where commits go: a *deltaplane.Store. Its methods are called on
// the source's goroutine and may block.
type Store interface {
	Apply(ctx context.Context, docs []resource.Document, prune bool, o deltaplane.Options) (*deltaplane.Plan, error)
	Latest() *deltaplane.Snapshot
	Watch() *deltaplane.Watch
}

// Config says for whom a Syncer commits.
type Config struct {
	Store       Store
	Report      *Report // its identity has the owner and the namespace
	AllowShrink bool    // a commit may remove more than 20 % and more than ten listeners or clusters
	Logger      *slog.Logger
}

// Input is all that a source has at one moment.
type Input struct {
	Documents []resource.Document
	Inputs    int               // files or keys that they come from
	Message   string            // for the history
	Problems  resource.Problems // of inputs that cannot be used, and for which Documents has their last good state
	Warnings  resource.Problems // that the commit's own are added to

	// Keep names what stays although Documents lacks it; nil: nothing.
	Keep func(deltaplane.Key) bool
	// Base is the store as it was before the input was read, where other
	// replicas read the same: when something of the source has changed since,
	// the input may be older than that, and Sync returns ErrOvertaken. nil: the
	// input is newer than the store in any case.
	Base *deltaplane.Snapshot
}

// ErrOvertaken means that an input may be older than what the store has: it
// must be read again.
var ErrOvertaken = errors.New("another replica was faster")

// Syncer commits the inputs of one source. It is for one goroutine.
type Syncer struct {
	cfg     Config
	options deltaplane.Options
	watch   *deltaplane.Watch
	seen    *deltaplane.Snapshot // the store as of the last look at it

	input    Input           // the last that was to be committed
	paths    map[string]bool // of what input names
	sum      [32]byte        // of input; zero before the first
	outcome  State           // of input; "" before the first
	hindered bool            // the source itself cannot be used now: that is what is reported
	failed   int             // attempts in a row that found the store away
}

// NewSyncer makes a Syncer that has committed nothing yet.
func NewSyncer(cfg Config) *Syncer {
	id := cfg.Report.Status().Identity
	s := &Syncer{cfg: cfg, watch: cfg.Store.Watch(), seen: cfg.Store.Latest()}
	s.options = deltaplane.Options{Namespace: id.Namespace, Owner: id.Owner, Author: id.Owner, AllowShrink: cfg.AllowShrink}
	return s
}

// Sync makes the store hold in, and reports what became of it. An input that
// says what the last one said does not override what was changed on purpose
// since. The error is ErrOvertaken, or that of ctx.
func (s *Syncer) Sync(ctx context.Context, in Input) error {
	sum := sumOf(in)
	same := sum == s.sum
	s.input, s.sum, s.paths, s.hindered = in, sum, s.pathsOf(in), false
	if same && (s.outcome == InSync || s.outcome == Overridden) {
		return s.compare(ctx)
	}
	return s.commit(ctx)
}

// Fail reports that the source cannot be used as it is, until the next Sync.
// The store keeps what it has.
func (s *Syncer) Fail(state State, problems resource.Problems, inputs int) {
	s.hindered = true
	s.warn(state, problems)
	s.cfg.Report.Become(state, problems, func(st *Status) { st.Inputs = inputs })
}

// Wait reports that the source is being changed, until the next Sync or Fail.
func (s *Syncer) Wait(reason resource.Problems) {
	s.hindered = true
	s.cfg.Report.Become(Waiting, reason, nil)
}

// warn counts and logs that a source is not in sync.
func (s *Syncer) warn(state State, problems resource.Problems) {
	s.cfg.Report.count(state)
	if s.cfg.Report.Status().State != state {
		s.cfg.Logger.Warn("source is not in sync; what the store has stays", "state", string(state), "problem", first(problems))
	}
}

// conclude reports what became of the input.
func (s *Syncer) conclude(state State, problems resource.Problems) {
	s.outcome = state
	if !s.hindered {
		s.warn(state, problems)
		s.cfg.Report.Become(state, problems, func(st *Status) { st.Inputs = s.input.Inputs })
	}
}

// Committed reports whether the last input was committed.
func (s *Syncer) Committed() bool { return s.outcome == InSync }

// StoreChanged closes when the store has; then call Look or Follow.
func (s *Syncer) StoreChanged() <-chan struct{} { return s.watch.Changed() }

// Retry is how long to wait before Follow is to be called although the store
// has not changed; 0: forever.
func (s *Syncer) Retry() time.Duration {
	if s.outcome != Unavailable {
		return 0
	}
	return min(5*time.Second, 100*time.Millisecond<<min(s.failed, 6))
}

// commit applies the input.
func (s *Syncer) commit(ctx context.Context) error {
	o := s.options
	o.Message, o.Keep = s.input.Message, s.input.Keep
	if base := s.input.Base; base != nil {
		o.Check = func(now *deltaplane.Snapshot) error {
			if s.touched(base, now) {
				return ErrOvertaken
			}
			return nil
		}
	}
	plan, err := s.cfg.Store.Apply(ctx, s.input.Documents, true, o)
	if err == nil {
		s.committed(plan)
		return nil
	}
	if errors.Is(err, ErrOvertaken) {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	state, problems := s.explain(err)
	if state == Unavailable {
		s.failed++
	}
	s.conclude(state, problems)
	return nil
}

// committed reports a plan that was carried out.
func (s *Syncer) committed(plan *deltaplane.Plan) {
	s.failed = 0
	if now := s.cfg.Store.Latest(); now.Version() == plan.Version {
		s.seen = now
	}
	s.settle(plan.Version, append(slices.Clone(s.input.Warnings), plan.Warnings...))
}

// settle reports that the store has what the source has, as far as that can
// be used.
func (s *Syncer) settle(v deltaplane.Version, warnings resource.Problems) {
	s.outcome = InSync
	state := InSync
	if len(s.input.Problems) > 0 {
		state = Broken
		s.warn(state, s.input.Problems)
	} else {
		s.cfg.Report.count(state)
		s.cfg.Logger.Info("source is in sync", "version", uint64(v), "resources", len(s.input.Documents))
	}
	s.cfg.Report.Become(state, s.input.Problems, func(st *Status) {
		st.Version, st.Applied = v, time.Now()
		st.Inputs, st.Resources, st.Warnings = s.input.Inputs, len(s.input.Documents), told(warnings)
	})
}

// explain turns what a commit failed with into a state and what to do.
func (s *Syncer) explain(err error) (State, resource.Problems) {
	if problems, ok := errors.AsType[resource.Problems](err); ok {
		return Broken, problems
	}
	state, hint := Unavailable, ""
	switch {
	case errors.Is(err, deltaplane.ErrOwned):
		state = Conflict
		hint = fmt.Sprintf("; to hand it over to this source, apply the same with --owner %q --take-ownership; or remove it from the source", s.options.Owner)
	case errors.Is(err, deltaplane.ErrShrink):
		state = Shrink
		hint = fmt.Sprintf("; if it is meant, remove it with deltaplane delete --owner %q, or serve with allow-shrink for this source", s.options.Owner)
	case errors.Is(err, deltaplane.ErrDangling):
		state = Broken
	}
	return state, resource.Problems{{Message: err.Error() + hint}}
}

// pathsOf are the store's paths of all that in names.
func (s *Syncer) pathsOf(in Input) map[string]bool {
	paths := make(map[string]bool, len(in.Documents))
	for _, d := range in.Documents {
		paths[deltaplane.KeyIn(s.options.Namespace, d.Resource.Type(), d.Resource.Name()).Path()] = true
	}
	return paths
}

// sumOf covers what in asks for, but not how it is written.
func sumOf(in Input) [32]byte {
	h := sha256.New()
	for _, d := range in.Documents {
		digest := d.Resource.Digest()
		fmt.Fprintf(h, "%s\x00%s\x00", d.Resource.Type(), d.Resource.Name())
		h.Write(digest[:])
	}
	fmt.Fprint(h, in.Problems.Error(), in.Keep != nil)
	return [32]byte(h.Sum([]byte(nil)))
}

func first(problems resource.Problems) string {
	if len(problems) == 0 {
		return ""
	}
	return problems[0].String()
}
