package deltaplane

import "time"

// clock is what the store knows of time.
type clock struct {
	began   time.Time            // when the store was opened, by wall
	wall    func() time.Time     // the system's clock: it may jump
	elapsed func() time.Duration // since began; it never jumps
}

func newClock() clock {
	began := time.Now()
	return clock{began, time.Now, func() time.Duration { return time.Since(began) }}
}

// steady is the time now, whatever has been done to the system's clock since
// the store was opened. What deletes by age asks it: a clock that is set
// wrong, even for a moment, must cost no history.
func (c clock) steady() time.Time { return c.began.Add(c.elapsed()) }
