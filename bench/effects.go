package bench

import (
	"time"

	"github.com/deltaplane/deltaplane/bench/histogram"
	"github.com/deltaplane/deltaplane/bench/probe"
)

// effects are what changes of one kind led to on one side. All times count
// from the moment before the change is sent to the API.
type effects struct {
	made int

	stored, etcd, ack histogram.Histogram
	storedThere       histogram.Histogram // stored, by the clock of a control plane elsewhere

	// Of each Envoy.
	firstSent, first, firstWithoutEtcd, lastOld histogram.Histogram
	firstFromCommit                             histogram.Histogram // of a control plane elsewhere, by its clock
	main                                        histogram.Histogram // CPU of its main thread

	arrivals arrivals // what relays have dated

	lastEnvoy histogram.Histogram // first, of the slowest Envoy
	inOrder   []float64           // the same, in milliseconds, of one change after the other

	bytes float64       // sent by the control plane
	cpu   time.Duration // of the control plane
	tally probe.Tally   // of the probes
}

func newEffects() *effects {
	e := &effects{arrivals: newArrivals()}
	for _, h := range []*histogram.Histogram{&e.stored, &e.storedThere, &e.etcd, &e.ack, &e.firstSent, &e.first, &e.firstWithoutEtcd, &e.firstFromCommit, &e.lastOld, &e.main, &e.lastEnvoy} {
		*h = histogram.New()
	}
	return e
}

// record takes in one change: what was seen, and the cost before and after.
func (e *effects) record(w watched, before, after cost) {
	e.made++
	etcd, alone := after.etcdSince(before)
	e.stored.Record(w.stored.Sub(w.sent))
	if !w.committed.IsZero() {
		e.storedThere.Record(w.committed.Sub(w.sent))
	}
	if alone {
		e.etcd.Record(etcd)
	}
	if !w.acked.IsZero() {
		e.ack.Record(w.acked.Sub(w.sent))
	}
	var slowest time.Duration
	for i, seen := range w.seen {
		first := seen.FirstNew.Received.Sub(w.sent)
		slowest = max(slowest, first)
		e.firstSent.Record(seen.FirstNew.Sent.Sub(w.sent))
		e.first.Record(first)
		if alone {
			e.firstWithoutEtcd.Record(first - etcd)
		}
		if !w.committed.IsZero() {
			e.firstFromCommit.Record(seen.FirstNew.Received.Sub(w.committed))
		}
		if !seen.LastOld.Sent.IsZero() {
			e.lastOld.Record(seen.LastOld.Sent.Sub(w.sent))
		}
		e.main.Record(after.main[i] - before.main[i])
		e.tally.Add(seen.Tally)
	}
	e.arrivals.record(w)
	e.lastEnvoy.Record(slowest)
	e.inOrder = append(e.inOrder, ms(slowest))
	e.bytes += after.sent.bytes - before.sent.bytes
	e.cpu += after.plane - before.plane
}
