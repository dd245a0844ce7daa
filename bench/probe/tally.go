package probe

import (
	"fmt"
	"net/http"
)

// Verdict says what an answer tells of its route.
type Verdict uint8

const (
	Wrong Verdict = iota // it is neither of the others
	Old                  // it is routed as before the change
	New                  // it is routed as after it
)

// reasonsKept bounds how many different failures a Tally tells apart.
const reasonsKept = 10

// Tally counts requests, and those that a change must not cause.
type Tally struct {
	Requests  int            `json:"requests"`
	Lost      int            `json:"lost"`      // no answer, or a status other than 200
	Misrouted int            `json:"misrouted"` // answered by a backend that has nothing to do with the route
	Reasons   map[string]int `json:"reasons,omitempty"`
}

// Take counts one request and what came of it.
func (t *Tally) Take(a Answer, err error, judge func(Answer) Verdict) Verdict {
	t.Requests++
	switch {
	case err != nil:
		t.Lost++
		t.reason(err.Error(), 1)
		return Wrong
	case a.Status != http.StatusOK:
		t.Lost++
		t.reason(fmt.Sprintf("%d %.80s", a.Status, a.Body), 1)
		return Wrong
	}
	v := judge(a)
	if v == Wrong {
		t.Misrouted++
		t.reason(fmt.Sprintf("answered by %q", a.Body), 1)
	}
	return v
}

func (t *Tally) reason(text string, n int) {
	if t.Reasons == nil {
		t.Reasons = map[string]int{}
	}
	if _, known := t.Reasons[text]; known || len(t.Reasons) < reasonsKept {
		t.Reasons[text] += n
	}
}

// Add counts what another tally has counted.
func (t *Tally) Add(other Tally) {
	t.Requests += other.Requests
	t.Lost += other.Lost
	t.Misrouted += other.Misrouted
	for text, n := range other.Reasons {
		t.reason(text, n)
	}
}
