package client

import "time"

// Status is how a stream fares.
type Status struct {
	State     State
	Since     time.Time // when the state began
	Failures  int       // in a row
	Failure   error     // the last one, until the server answers again; nil if none
	Opened    uint64    // how many times the stream was opened
	Responses uint64    // received
	Resources uint64    // received in them, heartbeats and removals not counted
}
