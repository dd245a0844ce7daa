package dir

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestADirectoryIsAtRestExactlyWhenNothingHasMovedForLongEnough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rest{settle: time.Second, blind: 5 * time.Second}
		now, moved := time.Unix(0, 0), time.Unix(0, 0)
		for generation := 0; ; {
			w := writers{unknown: rapid.Bool().Draw(t, "unknown")}
			switch rapid.IntRange(0, 6).Draw(t, "what") {
			case 0:
				generation++
				moved = now
			case 1:
				w.open = "a"
				moved = now
			case 2:
				r.moved()
				moved = now
			}
			need := r.settle
			if w.unknown {
				need = r.blind
			}
			if generation == 0 {
				generation, moved = 1, now
			}
			left := r.left(now, &listing{files: []file{{"a", identity{size: int64(generation)}}}}, w)
			switch rested := now.Sub(moved); {
			case w.open != "" && left <= 0:
				t.Fatal("at rest with a file open for writing")
			case w.open == "" && left != max(0, need-rested):
				t.Fatalf("after %s, of %s, there are %s left", rested, need, left)
			}
			if rapid.IntRange(0, 20).Draw(t, "end") == 0 {
				return
			}
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(2*time.Second)).Draw(t, "pass")))
		}
	})
}
