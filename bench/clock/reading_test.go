package clock

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// far is another machine: its clock shows skew more, and requests and answers
// take as long as there and back say. Use it in a synctest bubble.
func far(skew time.Duration, there, back func() time.Duration) Exchange {
	return func(context.Context) (Stamps, error) {
		var s Stamps
		s.Asked = time.Now()
		time.Sleep(there()) // in a bubble: no time passes
		s.Received = time.Now().Add(skew)
		time.Sleep(3 * time.Millisecond) // the other machine has other things to do
		s.Sent = time.Now().Add(skew)
		time.Sleep(back())
		s.Answered = time.Now()
		return s, nil
	}
}

func TestTheTrueOffsetIsWithinTheErrorHoweverUnevenTheWays(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		skew := time.Duration(rapid.Int64Range(-int64(time.Hour), int64(time.Hour)).Draw(rt, "skew"))
		way := rapid.Int64Range(0, int64(100*time.Millisecond))
		draws := rapid.SliceOfN(way, 2*exchanges, 2*exchanges).Draw(rt, "ways")
		var r Reading
		var err error
		synctest.Test(t, func(t *testing.T) {
			n := 0
			next := func() time.Duration { n++; return time.Duration(draws[n-1]) }
			r, err = Measure(t.Context(), far(skew, next, next))
		})
		if err != nil || (r.Offset-skew).Abs() > r.Error {
			rt.Fatalf("skew %v is read as %v ±%v, error %v", skew, r.Offset, r.Error, err)
		}
		least := draws[0] + draws[1]
		for i := range exchanges {
			least = min(least, draws[2*i]+draws[2*i+1])
		}
		if r.Error > time.Duration(least)/2+1 {
			rt.Fatalf("error %v, where the fastest exchange took %v", r.Error, time.Duration(least))
		}
	})
}

func TestOneWayTimesAreRefusedBeyondTenMilliseconds(t *testing.T) {
	for _, test := range []struct {
		skew, way time.Duration
		want      []string // of the error; none: no error
	}{
		{0, 0, nil},
		{9 * time.Millisecond, 900 * time.Microsecond, nil},
		{-9 * time.Millisecond, 900 * time.Microsecond, nil},
		{9 * time.Millisecond, 1100 * time.Microsecond, []string{"9ms ahead of", "±1.1ms", "chronyc"}},
		{-25 * time.Millisecond, time.Millisecond, []string{"25ms behind", "NTP"}},
		{0, 11 * time.Millisecond, []string{"took 22ms", "±11ms", "nearer"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			way := func() time.Duration { return test.way }
			r, err := Measure(t.Context(), far(test.skew, way, way))
			if err != nil {
				t.Fatal(err)
			}
			err = r.Check()
			if errors.Is(err, ErrApart) != (test.want != nil) {
				t.Fatalf("skew %v, ways of %v: error is %v", test.skew, test.way, err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v does not say %q", err, want)
				}
			}
		})
	}
}

func TestTheFastestOfSeveralExchangesCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		there := func() time.Duration { // one in a busy network comes through at once
			if n++; n == 7 {
				return 200 * time.Microsecond
			}
			return time.Duration(20+rand.IntN(30)) * time.Millisecond
		}
		r, err := Measure(t.Context(), far(time.Millisecond, there, func() time.Duration { return 0 }))
		if err != nil || n != exchanges || r.Error > 101*time.Microsecond || r.Check() != nil {
			t.Errorf("%d exchanges, %+v, error %v, check %v", n, r, err, r.Check())
		}
	})
}

func TestAClockThatIsSetDuringAnExchangeDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		none := func() time.Duration { return time.Millisecond }
		steady, n := far(0, none, none), 0
		set := func(from int) Exchange {
			return func(ctx context.Context) (Stamps, error) {
				s, err := steady(ctx)
				if n++; n > from {
					s.Sent = s.Sent.Add(time.Hour) // the delay is negative
				}
				return s, err
			}
		}
		if r, err := Measure(t.Context(), set(1)); err != nil || r.Offset != 0 {
			t.Errorf("%+v, error %v", r, err)
		}
		if r, err := Measure(t.Context(), set(0)); err == nil {
			t.Errorf("a clock that always jumps is read as %+v", r)
		}
	})
}

func TestMeasuringEndsWithItsContextAndItsErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		gone, broken := errors.New("gone"), errors.New("broken")
		never := func() time.Duration { cancel(gone); return 0 }
		if _, err := Measure(ctx, far(0, never, never)); !errors.Is(err, gone) {
			t.Errorf("error is %v", err)
		}
		if _, err := Measure(t.Context(), func(context.Context) (Stamps, error) { return Stamps{}, broken }); !errors.Is(err, broken) {
			t.Errorf("error is %v", err)
		}
	})
}

func TestTimesOfTheOtherMachineAreBroughtHere(t *testing.T) {
	now := time.Unix(1000, 0)
	if got := (Reading{Offset: 3 * time.Millisecond}).Here(now.Add(3 * time.Millisecond)); !got.Equal(now) {
		t.Errorf("%v, want %v", got, now)
	}
}
