package client

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var errTest = errors.New("the test wants it so")

// at is a moment.
func at(seconds float64) time.Time {
	return time.Unix(0, 0).Add(time.Duration(seconds * float64(time.Second)))
}

func TestEventsMoveAStreamOnlyWhereTheyFit(t *testing.T) {
	all := []State{Idle, Connecting, Subscribing, Live, BackingOff, Closed}
	for _, event := range []struct {
		name string
		do   func(*recovery)
		to   State
		from []State
	}{
		{"connect", func(r *recovery) { r.connect(at(1)) }, Connecting, []State{Idle, BackingOff}},
		{"opened", func(r *recovery) { r.opened(at(1)) }, Subscribing, []State{Connecting}},
		{"answered", func(r *recovery) { r.answered(at(1)) }, Live, []State{Subscribing}},
		{"failed", func(r *recovery) { r.failed(at(1), errTest) }, BackingOff, []State{Idle, Connecting, Subscribing, Live}},
		{"unreachable", func(r *recovery) { r.unreachable(errTest) }, Connecting, []State{Connecting}},
		{"close", func(r *recovery) { r.close(at(1)) }, Closed, []State{Idle, Connecting, Subscribing, Live, BackingOff}},
	} {
		for _, from := range all {
			r := recovery{least: 1, most: 2, random: func() float64 { return 0 }, state: from}
			want := from
			if slices.Contains(event.from, from) {
				want = event.to
			}
			if event.do(&r); r.state != want {
				t.Errorf("%s while %s leads to %s, want %s", event.name, from, r.state, want)
			}
			if moved := r.since.Equal(at(1)); moved != (want != from || slices.Contains(event.from, from) && event.name != "unreachable") {
				t.Errorf("%s while %s: the state began at %v", event.name, from, r.since)
			}
		}
	}
}

func TestDelaysDoubleUpToABoundAndAnAnswerResetsThem(t *testing.T) {
	r := recovery{least: 100 * time.Millisecond, most: 5 * time.Second, random: func() float64 { return 1 }}
	fail := func() time.Duration {
		r.connect(at(0))
		r.opened(at(0))
		return r.failed(at(0), errTest)
	}
	var delays []time.Duration
	for range 8 {
		delays = append(delays, fail()/time.Millisecond)
	}
	if want := []time.Duration{200, 400, 800, 1600, 3200, 5000, 5000, 5000}; !slices.Equal(delays, want) {
		t.Errorf("delays of %v ms, want %v", delays, want)
	}
	r.connect(at(0))
	r.opened(at(0))
	r.answered(at(0))
	if r.failures != 0 || r.failure != nil {
		t.Errorf("after an answer there are %d failures, %v", r.failures, r.failure)
	}
	if delay := r.failed(at(0), errTest); delay != 200*time.Millisecond {
		t.Errorf("the first delay after an answer is %s", delay)
	}
}

// A client that holds everything gets no answer, and is well all the same.
func TestAStreamThatLastedIsASuccess(t *testing.T) {
	r := recovery{least: time.Second, most: 5 * time.Second, random: func() float64 { return 1 }, failures: 7}
	r.connect(at(0))
	r.opened(at(10))
	if delay := r.failed(at(14.9), errTest); delay != 5*time.Second {
		t.Errorf("after 4.9 s the delay is %s", delay)
	}
	r.connect(at(20))
	r.opened(at(20))
	if delay := r.failed(at(25), errTest); delay != 2*time.Second || r.failures != 1 {
		t.Errorf("after 5 s the delay is %s with %d failures", delay, r.failures)
	}
}

func TestEveryDelayIsWithinItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		least := time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "least"))
		most := least + time.Duration(rapid.Int64Range(0, int64(1000*time.Hour)).Draw(t, "more"))
		r := recovery{
			least: least, most: most, state: Live,
			random:   func() float64 { return rapid.Float64Range(0, 0.999999).Draw(t, "chance") },
			failures: rapid.IntRange(0, 10_000).Draw(t, "failures"),
		}
		if delay := r.failed(at(0), errTest); delay < least || delay > most {
			t.Fatalf("%s, want between %s and %s", delay, least, most)
		}
	})
}

func TestStatesHaveNames(t *testing.T) {
	if Live.String() != "live" || BackingOff.String() != "backing off" || State(-1).String() != "unknown" || State(9).String() != "unknown" {
		t.Error(Live, BackingOff, State(-1), State(9))
	}
}
