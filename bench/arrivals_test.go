package bench

import (
	"testing"
	"time"

	"github.com/deltaplane/deltaplane/bench/relay"
)

func TestOfEachEnvoyTheFirstResponseOfAChangeIsItsArrival(t *testing.T) {
	sent := time.Now()
	at := func(ms int) time.Time { return sent.Add(time.Duration(ms) * time.Millisecond) }
	a := newArrivals()
	a.record(watched{sent: sent, done: done{committed: at(2)}, passed: [][]relay.Response{
		{{Received: at(5), Passed: at(6), Answered: at(9)}, {Received: at(10), Passed: at(12)}},
		{{Received: at(7), Answered: at(8)}}, // not handed on yet, as far as was seen
		nil,
	}})
	got := a.report()
	for what, pair := range map[string][3]float64{
		"received": {float64(got.Received.Count), got.Received.Max, 7}, "from the commit": {float64(got.FromCommit.Count), got.FromCommit.Max, 5},
		"answered": {float64(got.Answered.Count), got.Answered.Max, 4}, "relayed": {float64(got.Relayed.Count), got.Relayed.Max, 2},
	} {
		if pair[0] != 2 || pair[1] < pair[2]*0.99 || pair[1] > pair[2]*1.01 {
			t.Errorf("%s: %v values up to %v, want 2 up to %v", what, pair[0], pair[1], pair[2])
		}
	}
	empty := newArrivals()
	if empty.report() != nil || empty.report().rows() != nil {
		t.Error("without relays something has arrived")
	}
}
