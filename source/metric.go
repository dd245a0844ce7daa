package source

import "github.com/prometheus/client_golang/prometheus"

// counts are a source's syncs by what became of them. The board's mu guards
// them.
type counts map[State]uint64

var (
	descState = prometheus.NewDesc("deltaplane_source_state",
		"1 for the state that a source is in, 0 for the others.", []string{"source", "state"}, nil)
	descProblems = prometheus.NewDesc("deltaplane_source_problems",
		"Why a source is not in sync: the number of problems that are told.", []string{"source"}, nil)
	descResources = prometheus.NewDesc("deltaplane_source_resources",
		"Resources that a source had when it was last in sync.", []string{"source"}, nil)
	descApplied = prometheus.NewDesc("deltaplane_source_in_sync_timestamp_seconds",
		"When the store was last brought in line with a source, in Unix time; 0: never.", []string{"source"}, nil)
	descSyncs = prometheus.NewDesc("deltaplane_source_syncs_total",
		"States of a source that were read as a whole, by what became of them.", []string{"source", "outcome"}, nil)
)

// Describe is for prometheus.Collector.
func (b *Board) Describe(descs chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descState, descProblems, descResources, descApplied, descSyncs} {
		descs <- d
	}
}

// Collect is for prometheus.Collector.
func (b *Board) Collect(metrics chan<- prometheus.Metric) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.reports {
		s := r.status
		gauge := func(d *prometheus.Desc, v float64, labels ...string) {
			metrics <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, append([]string{s.String()}, labels...)...)
		}
		for _, state := range States() {
			is := 0.0
			if s.State == state {
				is = 1
			}
			gauge(descState, is, string(state))
			if n := r.counts[state]; n > 0 {
				metrics <- prometheus.MustNewConstMetric(descSyncs, prometheus.CounterValue, float64(n), s.String(), string(state))
			}
		}
		gauge(descProblems, float64(len(s.Problems)))
		gauge(descResources, float64(s.Resources))
		applied := 0.0
		if !s.Applied.IsZero() {
			applied = float64(s.Applied.UnixMilli()) / 1000
		}
		gauge(descApplied, applied)
	}
}

// count notes what became of one input.
func (r *Report) count(s State) {
	r.board.mu.Lock()
	defer r.board.mu.Unlock()
	r.counts[s]++
}
