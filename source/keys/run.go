package keys

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/source"
)

// loop is what Run has in mind.
type loop struct {
	*Source
	table  *table
	failed int           // readings in a row that etcd did not answer
	sleep  time.Duration // until the next reading; 0: until something wakes the loop
}

// Run watches until ctx ends.
func (s *Source) Run(ctx context.Context) {
	wake := make(chan struct{}, 1)
	var feeding sync.WaitGroup
	feeding.Go(func() { s.feed(ctx, wake) })
	defer feeding.Wait()
	l := &loop{Source: s, table: newTable(s.cfg.Namespace, s.cfg.Decoder)}
	again := time.NewTimer(0) // also where no watch stands: that is to be told
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-wake:
			l.look(ctx)
		case <-s.sync.StoreChanged():
			// It may have been another replica that knows of newer keys.
			if s.sync.Look() {
				l.look(ctx)
			}
		case <-again.C:
			l.look(ctx)
		}
		again.Reset(l.pause())
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

// look reads what changed and commits it, again as long as other replicas are
// faster.
func (l *loop) look(ctx context.Context) {
	l.sleep = 0
	for ctx.Err() == nil {
		base := l.store.Latest()
		r, err := l.read(ctx, l.table.revision, l.table.values)
		if err != nil {
			l.failed++
			l.sleep = backOff(l.failed)
			if ctx.Err() == nil {
				l.sync.Fail(source.Unavailable, resource.Problems{{File: l.cfg.Prefix, Message: "cannot be read: " + err.Error()}}, len(l.table.values))
			}
			return
		}
		first := l.table.revision == 0
		l.failed = 0
		l.table.take(r)
		if first && len(l.table.values) == 0 {
			l.table.revision = 0
			l.sync.Fail(source.Broken, resource.Problems{{File: l.cfg.Prefix, Message: "there are no keys below it: an empty prefix removes nothing; to remove what it had, use deltaplane delete"}}, 0)
			return
		}
		in := l.table.input()
		in.Base = base
		err = l.sync.Sync(ctx, in)
		if err == nil {
			if l.sync.Committed() {
				l.table.committed()
			}
			return
		}
		if !errors.Is(err, source.ErrOvertaken) {
			return
		}
	}
}
