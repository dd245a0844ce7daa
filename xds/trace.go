package xds

import (
	"context"
	"time"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
)

// Tracer puts what a version causes into that version's trace. Its methods
// are called from any goroutine, for each push: they must return fast and not
// block.
type Tracer interface {
	// Worked hears of work for all streams in the same state: once, from the
	// first that needed it.
	Worked(Work)
	// Pushed hears of events of the kinds Sent, Acked and Refused. What it
	// returns, if not empty, is the id of a trace in which the event can be
	// looked up.
	Pushed(Event) (trace string)
	// Within is ctx within the trace of what v causes; ctx itself without one.
	Within(ctx context.Context, v deltaplane.Version) context.Context
}

// WorkKind says what work was.
type WorkKind uint8

const (
	Derived WorkKind = iota // the views of all assignments in use
	Diffed                  // the difference for streams in one state
	Encoded                 // its response
)

// Work is something that was done for a version.
type Work struct {
	Kind         WorkKind
	Version      deltaplane.Version
	Type         resource.Type // "" for Derived
	Began, Ended time.Time
	Bytes        int // of the response, for Encoded
}

// stopwatch tells a Tracer of work. Without one it does nothing, and looks at
// no clock.
type stopwatch struct{ tracer Tracer }

func (w stopwatch) begin() time.Time {
	if w.tracer == nil {
		return time.Time{}
	}
	return time.Now()
}

// end tells of done, which began then and ends now.
func (w stopwatch) end(began time.Time, done Work) {
	if w.tracer == nil {
		return
	}
	done.Began, done.Ended = began, time.Now()
	w.tracer.Worked(done)
}

// pushed completes e with its trace.
func (w stopwatch) pushed(e *Event) string {
	if w.tracer == nil {
		return ""
	}
	switch e.Kind {
	case Sent, Acked, Refused:
		return w.tracer.Pushed(*e)
	}
	return ""
}

// within is ctx within v's trace.
func (w stopwatch) within(ctx context.Context, v deltaplane.Version) context.Context {
	if w.tracer == nil {
		return ctx
	}
	return w.tracer.Within(ctx, v)
}

// transmitted notes that the connection has taken the response. It is called
// for heartbeats as well, which have no flight or follow one.
func (f *flight) transmitted(w stopwatch) {
	if f != nil && w.tracer != nil {
		f.taken.CompareAndSwap(0, time.Now().UnixNano())
	}
}

// answered completes an event about the answer to the response.
func (f *flight) answered(e Event) Event {
	e.Version, e.After, e.Pushed = f.version, f.after, f.pushed
	e.Committed, e.SentAt = f.view.Time(), f.since
	if !f.handed.IsZero() {
		e.SentAt = f.handed
	}
	if taken := f.taken.Load(); taken != 0 {
		e.Transmitted = time.Unix(0, taken)
	}
	return e
}
