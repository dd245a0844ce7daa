package bench

import "time"

// Progress is what a run is at.
type Progress struct {
	Step  string        // "start plain", "change"
	Shape Shape         // the side; "" in a step of all
	Done  int           // of Total
	Total int           // 0: not known
	P50   time.Duration // of the side's times to the first request; 0: none yet
	P99   time.Duration
}
