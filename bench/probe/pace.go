package probe

import "time"

// Pace spaces requests evenly. It is for one goroutine.
type Pace struct {
	every time.Duration
	due   time.Time
}

// hurriedEvery is from request to request when one is expected to be answered
// anew.
const hurriedEvery = time.Millisecond

// NewPace makes a pace whose first Wait returns at once.
func NewPace(every time.Duration) *Pace { return &Pace{every: every, due: time.Now()} }

// Wait blocks until the next request is due: every after the last one was, or
// now where that is over. It is meant for waits of milliseconds at most, and
// does not end early.
func (p *Pace) Wait() {
	sleepUntil(p.due)
	p.next()
}

// WaitOr is Wait, but ends early, with true, when hurry is closed: requests are
// hurriedEvery from each other then. It is true to a millisecond.
func (p *Pace) WaitOr(hurry <-chan struct{}) (hurried bool) {
	timer := time.NewTimer(time.Until(p.due))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-hurry:
		p.due, p.every, hurried = time.Now(), min(p.every, hurriedEvery), true
	}
	p.next()
	return hurried
}

// next makes the request due that follows the one made now.
func (p *Pace) next() {
	p.due = p.due.Add(p.every)
	if now := time.Now(); p.due.Before(now) {
		p.due = now // late: requests that were left out are not made up for
	}
}
