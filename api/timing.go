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

// took tells that what went on since the last part was this one.
func (t *timing) took(part string) {
	now := time.Now()
	t.parts = append(t.parts, part+";dur="+strconv.FormatFloat(now.Sub(t.last).Seconds()*1000, 'f', 3, 64))
	t.last = now
}

// set puts the parts so far into an answer that has not begun.
func (t *timing) set(h http.Header) { h.Set("Server-Timing", strings.Join(t.parts, ", ")) }
