package xds

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/deltaplane/deltaplane"
)

// watchdog notices that versions no longer reach the streams while these look
// alive: nothing is wrong with the connections, no request fails, and what is
// served grows old. It looks at state only, by its own clock, so that neither
// a committer's clock nor a goroutine that hangs can hide it.
type watchdog struct {
	patience time.Duration          // fixed at birth
	now      func() time.Time       // likewise
	verdict  atomic.Pointer[string] // nil: all is well
	looked   atomic.Int64           // when it last did, Unix nanoseconds

	// Touched only by watch.
	hub     lateness
	streams map[*stream]lateness
}

// lateness is since when something has been at one version although there was
// a newer one for it. The zero lateness is in time.
type lateness struct {
	at    deltaplane.Version
	since time.Time
}

// see takes in that something is at version at, and should be at target.
func (l lateness) see(at, target deltaplane.Version, now time.Time) lateness {
	if at >= target {
		return lateness{}
	}
	if l.since.IsZero() || l.at != at {
		return lateness{at, now}
	}
	return l
}

func (l lateness) over(patience time.Duration, now time.Time) bool {
	return !l.since.IsZero() && now.Sub(l.since) >= patience
}

// watch looks at s until ctx ends, and logs when the verdict changes.
func (w *watchdog) watch(ctx context.Context, s *Server) {
	ticker := time.NewTicker(max(w.patience/4, time.Millisecond))
	defer ticker.Stop()
	for {
		w.looked.Store(w.now().UnixNano())
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		was, is := w.verdict.Load(), w.look(s, w.now())
		switch {
		case is != "" && was == nil:
			s.log.Error("what is served grows old: versions do not reach the streams", "reason", is)
		case is == "" && was != nil:
			s.log.Info("versions reach the streams again", "reason", *was)
		}
		if is == "" {
			w.verdict.Store(nil)
		} else {
			w.verdict.Store(&is)
		}
	}
}

// look is the verdict now, empty if all is well.
// Cost: O(streams).
func (w *watchdog) look(s *Server, now time.Time) string {
	latest, out := s.source.Latest().Version(), s.hub.now.Load().snapshot.Version()
	w.hub = w.hub.see(out, latest, now)
	s.mu.Lock()
	late, stuck := make(map[*stream]lateness), 0
	for st := range s.streams {
		l := w.streams[st].see(st.reached(), out, now)
		if !l.since.IsZero() {
			late[st] = l
		}
		if l.over(w.patience, now) {
			stuck++
		}
	}
	all := len(s.streams)
	s.mu.Unlock()
	w.streams = late
	switch {
	case w.hub.over(w.patience, now):
		return fmt.Sprintf("version %d is out for %s or more, and the streams were told of %d", latest, w.patience, out)
	case stuck > 0:
		return fmt.Sprintf("%d of %d streams have not taken up version %d for %s or more", stuck, all, out, w.patience)
	}
	return ""
}

// Stuck says why versions do not reach the streams, although there are newer
// ones, for Config.StuckAfter or more. It is empty if all is well, and again
// once they do. It takes no lock.
func (s *Server) Stuck() string {
	if why := s.watchdog.verdict.Load(); why != nil {
		return *why
	}
	if quiet := s.cfg.now().Sub(time.Unix(0, s.watchdog.looked.Load())); quiet > 2*s.cfg.StuckAfter {
		return fmt.Sprintf("the watchdog itself has not looked for %s", quiet.Round(time.Second))
	}
	return ""
}
