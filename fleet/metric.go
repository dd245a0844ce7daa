package fleet

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/deltaplane/deltaplane/xds"
)

var proxiesDesc = prometheus.NewDesc("deltaplane_proxies", "Proxies by state: in_sync, behind, refused, disconnected.", []string{"state"}, nil)

// metrics count over all nodes. No label depends on what clients send: types
// that are not served are "other".
type metrics struct {
	responses *prometheus.CounterVec
	bytes     *prometheus.CounterVec
	acks      *prometheus.HistogramVec
	commits   *prometheus.HistogramVec

	// The same by slot, to look no label up per event.
	sent, acked, refused, sentBytes [slots + 1]prometheus.Counter
	seconds, sinceCommit            [slots + 1]prometheus.Observer
}

func newMetrics() *metrics {
	m := &metrics{
		responses: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "deltaplane_responses_total",
			Help: "Responses by type and what became of them: sent, acked, refused.",
		}, []string{"type", "outcome"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "deltaplane_response_bytes_total",
			Help: "Bytes of the responses sent.",
		}, []string{"type"}),
		acks: latencies("deltaplane_ack_seconds", "Time from sending a response to its acknowledgement."),
		commits: latencies("deltaplane_commit_ack_seconds",
			"Time from a commit, by its committer's clock, to the acknowledgement of each response that it caused."),
	}
	for t := range slot(slots + 1) {
		name := "other"
		if t < slots {
			name = t.resource().Short()
		}
		m.sent[t] = m.responses.WithLabelValues(name, "sent")
		m.acked[t] = m.responses.WithLabelValues(name, "acked")
		m.refused[t] = m.responses.WithLabelValues(name, "refused")
		m.sentBytes[t] = m.bytes.WithLabelValues(name)
		m.seconds[t], m.sinceCommit[t] = m.acks.WithLabelValues(name), m.commits.WithLabelValues(name)
	}
	return m
}

// count takes one event into the counters.
func (m *metrics) count(t slot, e *xds.Event) {
	switch e.Kind {
	case xds.Sent:
		m.sent[t].Inc()
		m.sentBytes[t].Add(float64(max(e.Bytes, 0)))
	case xds.Acked:
		m.acked[t].Inc()
	case xds.Refused:
		m.refused[t].Inc()
	}
}

// latencies is a histogram by type, of seconds.
func latencies(name, help string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: name, Help: help,
		Buckets:                         []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		NativeHistogramBucketFactor:     1.1,
		NativeHistogramMaxBucketNumber:  100,
		NativeHistogramMinResetDuration: time.Hour,
	}, []string{"type"})
}

// acknowledged takes in an acknowledgement, and how long the client took.
func (m *metrics) acknowledged(t slot, took time.Duration, e *xds.Event) {
	observe(m.seconds[t], took, e.Trace)
	if e.Pushed && !e.Committed.IsZero() {
		observe(m.sinceCommit[t], max(e.Time.Sub(e.Committed), 0), e.Trace)
	}
}

// observe takes in a latency: with the trace to look it up in, if there is
// one, as an exemplar.
func observe(o prometheus.Observer, took time.Duration, trace string) {
	if trace == "" {
		o.Observe(took.Seconds())
		return
	}
	o.(prometheus.ExemplarObserver).ObserveWithExemplar(took.Seconds(), prometheus.Labels{"trace_id": trace})
}

// Describe is part of prometheus.Collector.
func (f *Fleet) Describe(ch chan<- *prometheus.Desc) {
	ch <- proxiesDesc
	f.metrics.responses.Describe(ch)
	f.metrics.bytes.Describe(ch)
	f.metrics.acks.Describe(ch)
	f.metrics.commits.Describe(ch)
}

// Collect is part of prometheus.Collector. Cost: that of Summary.
func (f *Fleet) Collect(ch chan<- prometheus.Metric) {
	s := f.Summary()
	for state, n := range map[State]int{InSync: s.InSync, Behind: s.Behind, Refused: s.Refused, Disconnected: s.Disconnected} {
		ch <- prometheus.MustNewConstMetric(proxiesDesc, prometheus.GaugeValue, float64(n), string(state))
	}
	f.metrics.responses.Collect(ch)
	f.metrics.bytes.Collect(ch)
	f.metrics.acks.Collect(ch)
	f.metrics.commits.Collect(ch)
}

var (
	_ prometheus.Collector = (*Fleet)(nil)
	_ xds.Observer         = (*Fleet)(nil)
)
