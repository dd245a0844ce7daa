package api

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// timing is the Server-Timing header of an answer (W3C): what its parts took,
// in their order, in milliseconds.
type timing struct {
	last  time.Time
	parts []string
}

func startTiming() *timing { return &timing{last: time.Now()} }

// CommittedAt is the header of an answer to a change that says when that was
// stored, by the server's wall clock, in time.RFC3339Nano. /v1/clock tells what
// that means elsewhere.
const CommittedAt = "Deltaplane-Committed-At"

// took tells that what went on since the last part was this one.
func (t *timing) took(part string) {
	now := time.Now()
	t.parts = append(t.parts, part+";dur="+strconv.FormatFloat(now.Sub(t.last).Seconds()*1000, 'f', 3, 64))
	t.last = now
}

// committed tells that what went on until now was the commit, which is stored.
func (t *timing) committed(h http.Header) {
	t.took("commit")
	t.set(h)
	h.Set(CommittedAt, t.last.UTC().Format(time.RFC3339Nano))
}

// set puts the parts so far into an answer that has not begun.
func (t *timing) set(h http.Header) { h.Set("Server-Timing", strings.Join(t.parts, ", ")) }
