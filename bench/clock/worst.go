package clock

import (
	"fmt"
	"time"
)

// Worst is how another machine's clock stood to this one's over a run, as
// reports say it: the worst of its readings, by offset and error together.
type Worst struct {
	Offset float64 `json:"offset_ms"` // what the other shows more
	Error  float64 `json:"error_ms"`  // Offset is true to this
	// Corrected is what was taken off the other's times: the first Offset.
	Corrected float64 `json:"corrected_by_ms"`
	// Refused is why one-way times are not reported: the clocks are further
	// apart than such times allow.
	Refused string `json:"one_way_times_refused,omitempty"`
}

// WorseOf is the worse of w, nil before the first reading, and of r.
func WorseOf(w *Worst, r Reading) *Worst {
	if w != nil && max(w.Offset, -w.Offset)+w.Error >= milliseconds(r.Offset.Abs()+r.Error) {
		return w
	}
	worse := &Worst{Offset: milliseconds(r.Offset), Error: milliseconds(r.Error), Corrected: milliseconds(r.Offset)}
	if w != nil {
		worse.Corrected = w.Corrected
	}
	if err := r.Check(); err != nil {
		worse.Refused = err.Error()
	}
	return worse
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// String says how the clocks stand, and what follows.
func (w Worst) String() string {
	text := fmt.Sprintf("the server's clock shows %+.2f ms against this machine's, true to %.2f ms", w.Offset, w.Error)
	if w.Refused != "" {
		return text + "; times from its commits are not reported: " + w.Refused
	}
	return text + fmt.Sprintf("; its times are corrected by %+.2f ms", -w.Corrected)
}
