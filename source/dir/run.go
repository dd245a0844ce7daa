package dir

import (
	"context"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/source"
)

// loop is what Run has in mind.
type loop struct {
	*Source
	watched watched
	rest    rest
	cache   cache
	done    *listing  // that was used, or found not to be usable; nil before the first
	unread  bool      // done could not be read: the same may go better later
	waiting bool      // something moved since done
	next    time.Time // of the next look; zero: when something wakes the loop
}

// blindRescan is how often a directory is looked at when the system has no
// events to give.
const blindRescan = time.Second

// Run watches until ctx ends.
func (s *Source) Run(ctx context.Context) {
	l := &loop{
		Source: s, watched: watched{dirs: map[string]spot{}}, rest: rest{settle: s.cfg.Settle, blind: s.cfg.Blind}, cache: cache{},
		waiting: true,
	}
	every := s.cfg.Rescan
	var events <-chan fsnotify.Event
	var lost <-chan error
	if watcher, err := s.events(64); err != nil {
		s.cfg.Logger.Warn("no file events: the directory is looked at every second", "error", err)
		every = min(every, blindRescan)
	} else {
		defer func() { _ = watcher.Close() }() // says nothing that matters by then
		l.watched.watcher, events, lost = watcher, watcher.Events, watcher.Errors
	}
	l.look(ctx)
	rescan := time.NewTicker(every)
	defer rescan.Stop()
	again := time.NewTimer(l.pause())
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-events:
			l.hear(e, events)
		case err := <-lost:
			s.cfg.Logger.Debug("file events were lost; looking at everything", "error", err)
			l.look(ctx)
		case <-rescan.C:
			l.waiting = l.waiting || l.unread
			l.look(ctx)
		case <-s.sync.StoreChanged():
			l.follow(ctx)
		case <-again.C:
			if !l.next.IsZero() && !time.Now().Before(l.next) {
				l.look(ctx)
			}
			if s.sync.Retry() > 0 {
				l.follow(ctx)
			}
		}
		again.Reset(l.pause())
	}
}

// hear takes an event, and those that are there already, and has the directory
// looked at soon. A writer's many events are one look.
func (l *loop) hear(e fsnotify.Event, more <-chan fsnotify.Event) {
	soon := time.Now().Add(l.cfg.Settle / 8)
	for {
		if l.watched.matters(e) && (l.next.IsZero() || l.next.After(soon)) {
			l.next = soon
		}
		select {
		case e = <-more:
		default:
			return
		}
	}
}

// pause is how long to wait when nothing else wakes the loop.
func (l *loop) pause() time.Duration {
	pause := time.Hour
	if !l.next.IsZero() {
		pause = time.Until(l.next)
	}
	if retry := l.sync.Retry(); retry > 0 {
		pause = min(pause, retry)
	}
	return pause
}

// follow has the Syncer look at the store. The error would be that of a Check,
// which this source has not, or of ctx.
func (l *loop) follow(ctx context.Context) {
	if err := l.sync.Follow(ctx); err != nil {
		l.cfg.Logger.Debug("following the store", "error", err)
	}
}

// look brings the store in line with the directory, when that is at rest.
func (l *loop) look(ctx context.Context) {
	l.next = time.Time{}
	now := scan(l.cfg.Path)
	for l.watched.follow(now) && ctx.Err() == nil {
		now = scan(l.cfg.Path)
	}
	if l.done != nil && l.done.equal(now) && !l.waiting {
		return
	}
	if !l.waiting {
		l.waiting = true
		l.sync.Wait(nil)
	}
	writers := l.cache.writers(now, l.probe)
	at := time.Now()
	if left := l.rest.left(at, now, writers); left > 0 {
		l.next = at.Add(left)
		if writers.open != "" {
			l.sync.Wait(resource.Problems{{File: writers.open, Message: "somebody has it open for writing: waiting until it is closed"}})
		}
		return
	}
	changed, problems, ok := l.cache.read(now, l.cfg.Decoder)
	if !ok || !now.equal(scan(l.cfg.Path)) {
		l.rest.moved()
		l.next = at.Add(l.cfg.Settle)
		return
	}
	l.done, l.waiting, l.unread = now, false, len(now.problems) > 0 || len(problems) > 0
	l.use(ctx, now, append(now.problems, problems...), changed)
}

// use commits what the files hold, all of it or nothing.
func (l *loop) use(ctx context.Context, now *listing, problems resource.Problems, changed string) {
	var docs []resource.Document
	var warnings resource.Problems
	for _, f := range now.files {
		c, ok := l.cache[f.name]
		if !ok {
			continue
		}
		docs = append(docs, c.docs...)
		for _, p := range c.problems {
			if p.Warning {
				warnings = append(warnings, p)
			} else {
				problems = append(problems, p)
			}
		}
	}
	if len(problems) == 0 && len(docs) == 0 {
		problems = resource.Problems{{File: l.cfg.Path, Message: "holds no *.yaml, *.yml or *.json file: an empty directory removes nothing; " +
			"to remove what it had, use deltaplane delete"}}
	}
	if len(problems) > 0 {
		l.sync.Fail(source.Broken, problems, len(now.files))
		return
	}
	err := l.sync.Sync(ctx, source.Input{Documents: docs, Inputs: len(now.files), Message: changed, Warnings: warnings})
	if err != nil {
		l.cfg.Logger.Debug("committing the directory", "error", err)
	}
}
