package clock

import (
	"strings"
	"testing"
	"time"
)

func TestOfSeveralReadingsTheWorstIsToldAndTheFirstCorrects(t *testing.T) {
	var w *Worst
	for _, offset := range []time.Duration{2 * time.Millisecond, -3 * time.Millisecond, time.Millisecond} {
		w = WorseOf(w, Reading{Offset: offset, Error: time.Millisecond})
	}
	if want := (Worst{Offset: -3, Error: 1, Corrected: 2}); *w != want || !strings.Contains(w.String(), "shows -3.00 ms") || !strings.Contains(w.String(), "corrected by -2.00 ms") {
		t.Errorf("%+v, in words: %s; want %+v", *w, w, want)
	}
	if w = WorseOf(w, Reading{Offset: -20 * time.Millisecond}); w.Refused == "" || !strings.Contains(w.String(), "not reported") || strings.Contains(w.String(), "corrected") {
		t.Errorf("20 ms are not refused: %s", w)
	}
}
