package clock

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Limit is how far apart two clocks may be for one-way times between them, what
// is not known of it included.
const Limit = 10 * time.Millisecond

// ErrApart wraps why one-way times between two machines are refused; its text
// says what to do.
var ErrApart = errors.New("one-way times are refused")

// Stamps are those of one exchange: Asked and Answered by this machine's clock,
// Received and Sent by the other's.
type Stamps struct{ Asked, Received, Sent, Answered time.Time }

// offset is what the other clock shows more than this one, if both ways took
// equally long.
func (s Stamps) offset() time.Duration {
	return (s.Received.Sub(s.Asked) + s.Sent.Sub(s.Answered)) / 2
}

// delay is what the exchange took on both ways together. What the other
// machine did in between is not in it.
func (s Stamps) delay() time.Duration {
	return s.Answered.Sub(s.Asked) - s.Sent.Sub(s.Received)
}

// Exchange is one exchange of stamps with another machine.
type Exchange func(context.Context) (Stamps, error)

// Reading is how another machine's clock stands to this one.
type Reading struct {
	Offset time.Duration // what the other shows more
	Error  time.Duration // Offset is true to this, whichever way took longer
}

// How often Measure asks, and for how long it waits in between, so that not
// all exchanges meet the same busy moment.
const (
	exchanges = 12
	pause     = 10 * time.Millisecond
)

// Measure exchanges stamps several times and keeps the fastest exchange: the
// least was in its way, and half of its delay bounds the error. It takes
// exchanges × (pause + delay). An exchange that fails is its error; those
// during which a clock was set do not count.
func Measure(ctx context.Context, exchange Exchange) (Reading, error) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	best, found := Stamps{}, false
	for range exchanges {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return Reading{}, context.Cause(ctx)
		}
		s, err := exchange(ctx)
		if err != nil {
			return Reading{}, fmt.Errorf("clock: %w", err)
		}
		if s.delay() >= 0 && !s.Sent.Before(s.Received) && (!found || s.delay() < best.delay()) {
			best, found = s, true
		}
		timer.Reset(pause)
	}
	if !found {
		return Reading{}, errors.New("clock: it jumped during each exchange; is it being set?")
	}
	return Reading{Offset: best.offset(), Error: (best.delay() + 1) / 2}, nil
}

// Check is nil where one-way times between both machines may be reported, and
// otherwise an ErrApart.
func (r Reading) Check() error {
	off, way := r.Offset.Abs(), "ahead of"
	if r.Offset < 0 {
		way = "behind"
	}
	switch {
	case r.Error > Limit:
		return fmt.Errorf("%w: the fastest exchange with the other machine took %v, so that its clock is known to ±%v only, and not to ±%v; run the bench nearer to it",
			ErrApart, 2*r.Error, r.Error, Limit)
	case off+r.Error > Limit:
		return fmt.Errorf("%w: the other machine's clock is %v %s this one's (±%v), more than %v; synchronise both by NTP (`chronyc tracking` tells how far off each is), or run the bench on that machine",
			ErrApart, off.Round(time.Microsecond), way, r.Error.Round(time.Microsecond), Limit)
	}
	return nil
}

// Here is what this machine's clock showed when the other's showed t, true to
// Error.
func (r Reading) Here(t time.Time) time.Time { return t.Add(-r.Offset) }
