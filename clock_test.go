package deltaplane

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"
)

// openWithClock is a store whose system's clock a test sets: the returned
// value is how far, in nanoseconds, it is from the truth.
func openWithClock(t *testing.T, cfg Config) (*Store, *atomic.Int64) {
	t.Helper()
	cfg.DataDir = t.TempDir()
	cfg = cfg.withDefaults()
	c, err := connect(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	wrong := new(atomic.Int64)
	s, err := openAt(t.Context(), cfg, c, clock{time.Now(), func() time.Time { return time.Now().Add(time.Duration(wrong.Load())) }, newClock().elapsed})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, s) })
	return s, wrong
}

func TestAClockThatJumpsCostsNoHistory(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for name, jump := range map[string]time.Duration{"ahead": year, "back": -50 * year} {
		t.Run(name, func(t *testing.T) {
			s, wrong := openWithClock(t, Config{MaxCommits: 100, MaxAge: time.Hour})
			n := 0
			commits := func() {
				for range 15 { // more than the keeper rests for
					n++
					commit(t, s, by(fmt.Sprint(n), put(t, n, "a", fmt.Sprint("c", n%3))))
				}
				upkeep(t, s)
			}
			commits()
			wrong.Store(int64(jump))
			commits()
			wrong.Store(0)
			commits()
			kept, err := s.History(t.Context(), 0, 0)
			if err != nil || len(kept) != n {
				t.Fatalf("%d of %d commits are kept, %v", len(kept), n, err)
			}
			for i, c := range kept {
				if c.Version != Version(n-i) || c.Author != fmt.Sprint(n-i) {
					t.Fatalf("commit %d is version %d by %s", n-i, c.Version, c.Author)
				}
			}
			if _, err := s.At(t.Context(), 1); err != nil {
				t.Errorf("the first version: %v", err)
			}
			checkStored(t, s)
		})
	}
}
