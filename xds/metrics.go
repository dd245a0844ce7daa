package xds

import (
	"runtime/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the server's, by Prometheus' conventions; no node is a label.
type metrics struct {
	streams *prometheus.GaugeVec
	frames  *prometheus.CounterVec
	cached  [2]prometheus.Counter // of frames: by whether another stream had them, to look no label up per response
	beats   prometheus.Counter
	push    prometheus.Histogram
	evicted prometheus.Counter
	overdue prometheus.Counter
	visits  prometheus.Counter
}

// newMetrics registers the metrics, unless r is nil. names counts what is
// subscribed; stuck is Server.Stuck.
func newMetrics(r prometheus.Registerer, names func() int, stuck func() string) *metrics {
	m := &metrics{
		streams: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "deltaplane_streams", Help: "Open xDS streams by api: ads or type, and protocol variant."}, []string{"api", "variant"}),
		frames: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "deltaplane_frames_total", Help: "Responses sent, by whether another stream had them encoded already."}, []string{"cached"}),
		beats: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "deltaplane_heartbeats_total", Help: "Responses that brought nothing but that resources with a TTL live on."}),
		evicted: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "deltaplane_connections_evicted_total", Help: "Connections that were closed because requests arriving on them took too much memory."}),
		overdue: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "deltaplane_responses_overdue_total", Help: "Responses that were not answered in time, so that what waited for them went on."}),
		visits: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "deltaplane_stream_visits_total", Help: "Streams that versions were brought to, whether or not they had anything for them; those at rest, whose view a version does not change, are not visited."}),
		push: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "deltaplane_push_seconds", Help: "From a commit's time to handing its response to the stream.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 15), NativeHistogramBucketFactor: 1.1}),
	}
	m.cached = [2]prometheus.Counter{m.frames.WithLabelValues("false"), m.frames.WithLabelValues("true")}
	if r != nil {
		subscribed := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "deltaplane_subscribed_names", Help: "Resource names subscribed to; a set that several streams have counts once."},
			func() float64 { return float64(names()) })
		old := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "deltaplane_streams_stuck", Help: "1 while versions do not reach the streams although there are newer ones; the log says why."},
			func() float64 {
				if stuck() != "" {
					return 1
				}
				return 0
			})
		r.MustRegister(m.streams, m.frames, m.beats, m.push, m.evicted, m.overdue, m.visits, subscribed, old)
	}
	return m
}

func (m *metrics) opened(st *stream) { m.streams.WithLabelValues(st.labels()...).Inc() }
func (m *metrics) closed(st *stream) { m.streams.WithLabelValues(st.labels()...).Dec() }

// labels are the values of api and variant.
func (st *stream) labels() []string {
	api, variant := "ads", "sotw"
	if !st.ads {
		api = st.only.Short()
	}
	if st.delta {
		variant = "delta"
	}
	return []string{api, variant}
}

// profiled are the same as labels of the stream's goroutines in profiles.
func (st *stream) profiled() pprof.LabelSet {
	values := st.labels()
	return pprof.Labels("api", values[0], "variant", values[1])
}

// sent counts a response; committed is when its version was made, and trace,
// if not empty, the id of a trace in which it can be looked up.
func (m *metrics) sent(s *send, committed, now time.Time, trace string) {
	cached := 0
	if s.cached {
		cached = 1
	}
	m.cached[cached].Inc()
	if s.heartbeat {
		m.beats.Inc()
	}
	if s.pushed {
		took := max(now.Sub(committed), 0).Seconds()
		if trace == "" {
			m.push.Observe(took)
			return
		}
		m.push.(prometheus.ExemplarObserver).ObserveWithExemplar(took, prometheus.Labels{"trace_id": trace})
	}
}
