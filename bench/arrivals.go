package bench

import "github.com/deltaplane/deltaplane/bench/histogram"

// arrivals are what relays have dated of changes of one kind on one side.
type arrivals struct {
	received   histogram.Histogram // the first response, from sending the change; of each Envoy
	fromCommit histogram.Histogram // likewise, from the commit of a control plane elsewhere
	answered   histogram.Histogram // of each response, from then to Envoy's acknowledgement
	relayed    histogram.Histogram // of each response, in the relay
}

func newArrivals() arrivals {
	return arrivals{histogram.New(), histogram.New(), histogram.New(), histogram.New()}
}

// record takes in one change.
func (a *arrivals) record(w watched) {
	for _, responses := range w.passed {
		for i, one := range responses {
			if i == 0 {
				a.received.Record(one.Received.Sub(w.sent))
			}
			if i == 0 && !w.committed.IsZero() {
				a.fromCommit.Record(one.Received.Sub(w.committed))
			}
			if !one.Answered.IsZero() {
				a.answered.Record(one.Answered.Sub(one.Received))
			}
			if !one.Passed.IsZero() {
				a.relayed.Record(one.Passed.Sub(one.Received))
			}
		}
	}
}

// Arrivals are what relays on the way to Envoys have dated, in milliseconds.
type Arrivals struct {
	// Received is when the first response of a change had arrived at an Envoy's
	// machine, from before the change is sent; FromCommit is that from the
	// commit of a control plane elsewhere, by its clock.
	Received   histogram.Distribution `json:"received_ms"`
	FromCommit histogram.Distribution `json:"received_from_commit_ms"`
	// Answered is how long after a response Envoy's acknowledgement of it came,
	// Relayed what of that the relay took to hand the response on.
	Answered histogram.Distribution `json:"envoy_ack_ms"`
	Relayed  histogram.Distribution `json:"relayed_ms"`
}

// report sums up; nil is without relays.
func (a *arrivals) report() *Arrivals {
	if a.received.Count() == 0 {
		return nil
	}
	return &Arrivals{a.received.Distribution(), a.fromCommit.Distribution(), a.answered.Distribution(), a.relayed.Distribution()}
}

// rows are its part of a table of times.
func (a *Arrivals) rows() []row {
	if a == nil {
		return nil
	}
	return []row{
		{"arrived at Envoy's machine", a.Received}, {"… from the commit, by the server's clock", a.FromCommit},
		{"Envoy's acknowledgement, after that", a.Answered}, {"the relay's part of that", a.Relayed},
	}
}
