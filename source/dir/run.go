package dir

import (
	"context"
	"fmt"
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
	done    *listing      // that was used, or found not to be usable; nil before the first
	unread  bool          // done could not be read: the same may go better later
	waiting bool          // something moved since done
	sleep   time.Duration // until the next look; 0: until something wakes the loop
}

// Run watches until ctx ends. An error means that it could not begin.
func (s *Source) Run(ctx context.Context) error {
	events, err := fsnotify.NewBufferedWatcher(64)
	if err != nil {
		return fmt.Errorf("watching %s: %w", s.cfg.Path, err)
	}
	defer func() { _ = events.Close() }() // says nothing that matters by then
	l := &loop{
		Source: s, watched: newWatched(events), rest: rest{settle: s.cfg.Settle, blind: s.cfg.Blind}, cache: cache{},
		waiting: true,
	}
	l.look(ctx)
	rescan := time.NewTicker(s.cfg.Rescan)
	defer rescan.Stop()
	again := time.NewTimer(l.pause())
	defer again.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			return nil
		case <-events.Events:
			drain(events.Events)
			l.look(ctx)
		case err := <-events.Errors:
			s.cfg.Logger.Debug("file events were lost; looking at everything", "error", err)
			l.look(ctx)
		case <-rescan.C:
			l.waiting = l.waiting || l.unread
			l.look(ctx)
		case <-s.sync.StoreChanged():
			l.follow(ctx)
		case <-again.C:
			if l.sleep > 0 {
				l.look(ctx)
			}
			if s.sync.Retry() > 0 {
				l.follow(ctx)
			}
		}
		again.Reset(l.pause())
	}
	return nil
}

// drain takes the events that are there already: one look serves them all.
func drain(events <-chan fsnotify.Event) {
	for {
		select {
		case <-events:
		default:
			return
		}
	}
}

// pause is how long to wait when nothing else wakes the loop.
func (l *loop) pause() time.Duration {
	pause := time.Hour
	for _, d := range []time.Duration{l.sleep, l.sync.Retry()} {
		if d > 0 {
			pause = min(pause, d)
		}
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
	l.sleep = 0
	now := scan(l.cfg.Path)
	for l.watched.follow(now) {
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
	l.sleep = l.rest.left(time.Now(), now, writers)
	if l.sleep > 0 {
		if writers.open != "" {
			l.sync.Wait(resource.Problems{{File: writers.open, Message: "somebody has it open for writing: waiting until it is closed"}})
		}
		return
	}
	changed, problems, ok := l.cache.read(now, l.cfg.Decoder)
	if !ok || !now.equal(scan(l.cfg.Path)) {
		l.rest.moved()
		l.sleep = l.cfg.Settle
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
