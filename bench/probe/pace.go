package probe

import "time"

// Pace spaces requests evenly. It is for one goroutine.
type Pace struct {
	every time.Duration
	due   time.Time
}

// NewPace makes a pace whose first Wait returns at once.
func NewPace(every time.Duration) *Pace { return &Pace{every: every, due: time.Now()} }

// Wait blocks until the next request is due: every after the last one was, or
// now where that is over. It is meant for waits of milliseconds at most, and
// does not end early.
func (p *Pace) Wait() {
	sleepUntil(p.due)
	p.due = p.due.Add(p.every)
	if now := time.Now(); p.due.Before(now) {
		p.due = now // late: requests that were left out are not made up for
	}
}
