package footprint

import (
	"context"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWhatWasFreedGoesBack(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	ctx, cancel := context.WithCancel(t.Context())
	var keeping sync.WaitGroup
	keeping.Go(func() { Keep(ctx) })
	defer keeping.Wait()
	defer cancel()
	load(200 << 20)
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	runtime.GC()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for ; now.HeapReleased < before.HeapReleased+150<<20; runtime.ReadMemStats(&now) {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("interrupted")
		}
	}
	if percent := debug.SetGCPercent(Percent); percent != Percent {
		t.Errorf("GOGC is %d", percent)
	}
}

// load takes so many bytes, and needs them no longer.
func load(bytes int) {
	var all [][]byte
	for range bytes >> 20 {
		all = append(all, slices.Repeat([]byte{1}, 1<<20))
	}
	runtime.KeepAlive(all)
}

func TestFreeMemoryGoesBackWithoutACollection(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(Percent))
	load(100 << 20)
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	giveBack(64 << 20)
	runtime.ReadMemStats(&after)
	if more := int64(after.HeapReleased - before.HeapReleased); more < 56<<20 || more > 90<<20 {
		t.Errorf("%d bytes went back of 64 MiB", more)
	}
	if after.NumGC != before.NumGC {
		t.Errorf("%d collections", after.NumGC-before.NumGC)
	}
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		t.Errorf("the limit on memory is %d now", limit)
	}
	giveBack(1 << 40) // ends when nothing is free
}

func TestWhoSaysHowMuchMemoryThereIsIsHeard(t *testing.T) {
	for _, variable := range []string{"GOGC", "GOMEMLIMIT"} {
		t.Run(variable, func(t *testing.T) {
			t.Setenv("GOGC", "")
			t.Setenv(variable, "200")
			before := debug.SetGCPercent(77)
			defer debug.SetGCPercent(before)
			Keep(t.Context()) // returns at once
			if now := debug.SetGCPercent(77); now != 77 {
				t.Errorf("GOGC became %d", now)
			}
		})
	}
}

func TestWhatWillBeNeededStays(t *testing.T) {
	for _, c := range []struct {
		state
		excess int64
	}{
		{state{live: 100 << 20, goal: 150 << 20, free: 50 << 20}, 0},
		{state{live: 100 << 20, goal: 150 << 20, free: 350 << 20}, 325<<20 - spare},
		{state{live: 2 << 20, goal: 1 << 20, free: 3 * spare}, 2 * spare},
	} {
		if got := excess(c.state); got != c.excess {
			t.Errorf("%+v: %d, want %d", c.state, got, c.excess)
		}
	}
}
