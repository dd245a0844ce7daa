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

	// The same by slot, to look no label up per event.
	sent, acked, refused, sentBytes [slots + 1]prometheus.Counter
	seconds                         [slots + 1]prometheus.Observer
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
		acks: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:                            "deltaplane_ack_seconds",
			Help:                            "Time from sending a response to its acknowledgement.",
			Buckets:                         []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
			NativeHistogramBucketFactor:     1.1,
			NativeHistogramMaxBucketNumber:  100,
			NativeHistogramMinResetDuration: time.Hour,
		}, []string{"type"}),
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
		m.seconds[t] = m.acks.WithLabelValues(name)
	}
	return m
}

// count takes one event into the counters.
func (m *metrics) count(t slot, e xds.Event) {
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

// acknowledged takes in how long a client took.
func (m *metrics) acknowledged(t slot, took time.Duration) { m.seconds[t].Observe(took.Seconds()) }

// Describe is part of prometheus.Collector.
func (f *Fleet) Describe(ch chan<- *prometheus.Desc) {
	ch <- proxiesDesc
	f.metrics.responses.Describe(ch)
	f.metrics.bytes.Describe(ch)
	f.metrics.acks.Describe(ch)
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
}

var (
	_ prometheus.Collector = (*Fleet)(nil)
	_ xds.Observer         = (*Fleet)(nil)
)
