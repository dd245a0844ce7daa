package fault

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// ErrAsked is what Error returns when it is asked to.
var ErrAsked = errors.New("fault asked for by " + Variable)

// faults are what happens, by the name of the point.
type faults struct{ at map[string]*failing }

// failing is what happens at one point.
type failing struct {
	action string
	pause  time.Duration
	turn   int64 // counted from 1
	passed atomic.Int64
}

// parse reads the value of Variable.
func parse(text string) (*faults, error) {
	all := &faults{at: map[string]*failing{}}
	for entry := range strings.SplitSeq(text, ",") {
		if entry == "" {
			continue
		}
		name, rest, ok := strings.Cut(entry, ":")
		if !ok {
			return nil, fmt.Errorf("%q: want name:action", entry)
		}
		f := &failing{turn: 1}
		action, turn, some := strings.Cut(rest, "@")
		if some {
			n, err := strconv.ParseInt(turn, 10, 64)
			if err != nil || n < 1 {
				return nil, fmt.Errorf("%q: want a number from 1 behind @", entry)
			}
			f.turn = n
		}
		var length string
		f.action, length, _ = strings.Cut(action, "=")
		var err error
		switch f.action {
		case "kill", "error":
		case "pause":
			if f.pause, err = time.ParseDuration(length); err != nil {
				return nil, fmt.Errorf("%q: %w", entry, err)
			}
		default:
			return nil, fmt.Errorf("%q: the actions are kill, pause=DURATION and error", entry)
		}
		all.at[name] = f
	}
	return all, nil
}

func (all *faults) reach(name string) error {
	f := all.at[name]
	if f == nil || f.passed.Add(1) != f.turn {
		return nil
	}
	fmt.Fprintf(os.Stderr, "fault: %s at %s\n", f.action, name)
	switch f.action {
	case "kill":
		self, err := os.FindProcess(os.Getpid())
		if err == nil {
			err = self.Kill()
		}
		if err != nil {
			os.Exit(137)
		}
		select {} // until the signal arrives
	case "pause":
		<-time.After(f.pause)
	case "error":
		return fmt.Errorf("%s: %w", name, ErrAsked)
	}
	return nil
}
