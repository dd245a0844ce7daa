package loadreport

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// otherClusters is the label of clusters beyond Config.MaxLabels.
const otherClusters = "other"

var (
	clientsDesc    = prometheus.NewDesc("deltaplane_load_report_clients", "Clients that report their load.", nil, nil)
	bytesDesc      = prometheus.NewDesc("deltaplane_load_report_bytes", "Memory that their last reports take.", nil, nil)
	inProgressDesc = prometheus.NewDesc("deltaplane_upstream_requests_in_progress",
		"Requests in progress by upstream cluster, as the proxies that are connected reported last.", []string{"cluster"}, nil)
)

// metrics count over all nodes. Clients choose the names of clusters, so only
// so many become labels.
type metrics struct {
	reports  prometheus.Counter
	omitted  prometheus.Counter
	requests *prometheus.CounterVec

	mu     sync.Mutex // guards what follows
	max    int
	labels map[string]bool
}

func newMetrics(maxLabels int) *metrics {
	return &metrics{
		reports: prometheus.NewCounter(prometheus.CounterOpts{Name: "deltaplane_load_reports_total", Help: "Load reports taken in."}),
		omitted: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "deltaplane_load_reports_omitted_total",
			Help: "Clusters, localities and endpoints in load reports that there was no room for.",
		}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "deltaplane_upstream_requests_total",
			Help: "Requests that proxies reported, by upstream cluster and what became of them: issued, succeeded, failed, dropped.",
		}, []string{"cluster", "outcome"}),
		max: maxLabels, labels: map[string]bool{},
	}
}

// label is what stands for a cluster.
func (m *metrics) label(cluster string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.labels[cluster] {
		if len(m.labels) >= m.max {
			return otherClusters
		}
		m.labels[cluster] = true
	}
	return cluster
}

// count takes one report in.
func (m *metrics) count(l Load) {
	m.reports.Inc()
	m.omitted.Add(float64(l.Omitted))
	for _, c := range l.Clusters {
		label := m.label(c.Name)
		for outcome, n := range map[string]uint64{"issued": c.Issued, "succeeded": c.Succeeded, "failed": c.Failed, "dropped": c.Dropped} {
			m.requests.WithLabelValues(label, outcome).Add(float64(n))
		}
	}
}

// Describe is part of prometheus.Collector.
func (s *Server) Describe(ch chan<- *prometheus.Desc) {
	ch <- clientsDesc
	ch <- bytesDesc
	ch <- inProgressDesc
	s.metrics.reports.Describe(ch)
	s.metrics.omitted.Describe(ch)
	s.metrics.requests.Describe(ch)
}

// Collect is part of prometheus.Collector. Cost: O(clusters of all nodes).
func (s *Server) Collect(ch chan<- prometheus.Metric) {
	clients, inProgress := s.inProgress()
	ch <- prometheus.MustNewConstMetric(clientsDesc, prometheus.GaugeValue, float64(clients))
	ch <- prometheus.MustNewConstMetric(bytesDesc, prometheus.GaugeValue, float64(s.budget.used.Load()))
	for label, n := range inProgress {
		ch <- prometheus.MustNewConstMetric(inProgressDesc, prometheus.GaugeValue, float64(n), label)
	}
	s.metrics.reports.Collect(ch)
	s.metrics.omitted.Collect(ch)
	s.metrics.requests.Collect(ch)
}

// inProgress adds up what the last reports say, by label.
func (s *Server) inProgress() (clients int, total map[string]uint64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	total = map[string]uint64{}
	for _, streams := range s.nodes {
		clients += len(streams)
		for _, st := range streams {
			for _, c := range st.last().Clusters {
				label := s.metrics.label(c.Name)
				total[label] = sum(total[label], c.InProgress)
			}
		}
	}
	return clients, total
}

var _ prometheus.Collector = (*Server)(nil)
