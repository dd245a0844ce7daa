package main

import (
	"fmt"
	"time"

	"github.com/deltaplane/deltaplane/bench"
)

// board shows what a bench is at: on a terminal in one line that changes,
// elsewhere a line for each step of each side.
type board struct {
	terminal *terminal
	tty      bool
	shown    map[string]bool // without a terminal
}

func newBoard(t *terminal) *board {
	return &board{terminal: t, tty: isTTY(t.err), shown: map[string]bool{}}
}

// moment is what a bench is at.
type moment struct {
	side, step  string
	done, total int           // total 0: not known
	of          string        // what the percentiles are of
	p50, p99    time.Duration // 0: none yet
}

// envoys shows what the bench of real Envoys is at.
func (b *board) envoys(p bench.Progress) {
	b.show(moment{side: string(p.Shape), step: p.Step, done: p.Done, total: p.Total, of: "first request", p50: p.P50, p99: p.P99})
}

func (b *board) show(s moment) {
	text := s.step
	if s.side != "" {
		text = s.side + ": " + s.step
	}
	if !b.tty {
		if !b.shown[text] {
			b.shown[text] = true
			fmt.Fprintln(b.terminal.err, text)
		}
		return
	}
	if s.total > 0 {
		text += fmt.Sprintf(" %d of %d", s.done+1, s.total)
	}
	if s.p50 > 0 {
		text += fmt.Sprintf(" · %s P50 %.1f ms, P99 %.1f ms", s.of, s.p50.Seconds()*1000, s.p99.Seconds()*1000)
	}
	fmt.Fprintf(b.terminal.err, "\r\x1b[K%s", text)
}

// wipe clears the line that changes.
func (b *board) wipe() {
	if b.tty {
		fmt.Fprint(b.terminal.err, "\r\x1b[K")
	}
}
