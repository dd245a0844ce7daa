package deltaplane

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the store's own; with no registerer they count for nobody.
type metrics struct {
	registerer prometheus.Registerer
	all        []prometheus.Collector

	seconds   prometheus.Histogram
	etcd      prometheus.Histogram
	commits   *prometheus.CounterVec
	conflicts prometheus.Counter
	grouped   prometheus.Histogram
}

func newMetrics(r prometheus.Registerer, s *Store) (*metrics, error) {
	m := &metrics{
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "deltaplane_commit_seconds", Help: "Time from Commit to durable and published.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14), NativeHistogramBucketFactor: 1.1,
		}),
		etcd: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "deltaplane_commit_etcd_seconds", Help: "Of that, the time until etcd has made a transaction durable.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14), NativeHistogramBucketFactor: 1.1,
		}),
		commits: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "deltaplane_commits_total", Help: "Calls of Commit by what became of them: ok, refused (by the change itself), unavailable.",
		}, []string{"outcome"}),
		conflicts: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "deltaplane_commit_conflicts_total", Help: "Transactions that another writer overtook, and that ran again.",
		}),
		grouped: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "deltaplane_commit_group_size", Help: "Commits that shared one transaction.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 6),
		}),
	}
	m.all = []prometheus.Collector{
		m.seconds, m.etcd, m.commits, m.conflicts, m.grouped,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "deltaplane_store_version", Help: "Version that is served.",
		}, func() float64 { return float64(s.Latest().version) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "deltaplane_store_bytes", Help: "Bytes in use of etcd's database, all of its users together; of an external one as of the last upkeep.",
		}, func() float64 { return float64(s.etcd.bytesInUse()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "deltaplane_etcd_connected", Help: "1 while etcd answers.",
		}, func() float64 {
			return oneIf(s.Health().Connected)
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "deltaplane_store_from_disk", Help: "1 while the snapshot on disk is served, as etcd has not answered since the start.",
		}, func() float64 { return oneIf(s.Health().FromDisk) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "deltaplane_disk_snapshot_version", Help: "Version of the snapshot on disk; 0 without one, as with the embedded etcd.",
		}, func() float64 { return float64(s.disk.version.Load()) }),
	}
	if r == nil {
		return m, nil
	}
	for i, c := range m.all {
		if err := r.Register(c); err != nil {
			m.all = m.all[:i]
			m.registerer = r
			m.unregister()
			return m, err
		}
	}
	m.registerer = r
	return m, nil
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// unregister takes the metrics out of the registry, so that another store of
// the process can be opened.
func (m *metrics) unregister() {
	if m.registerer == nil {
		return
	}
	for _, c := range m.all {
		m.registerer.Unregister(c)
	}
}

// commit counts one call of Commit.
func (m *metrics) commit(err error, took time.Duration) {
	switch {
	case err == nil:
		m.commits.WithLabelValues("ok").Inc()
		m.seconds.Observe(took.Seconds())
	case errors.Is(err, ErrUnavailable) || errors.Is(err, ErrClosed):
		m.commits.WithLabelValues("unavailable").Inc()
	default:
		m.commits.WithLabelValues("refused").Inc()
	}
}
