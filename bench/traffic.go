package bench

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/deltaplane/deltaplane/bench/histogram"
	"github.com/deltaplane/deltaplane/bench/hops"
	"github.com/deltaplane/deltaplane/bench/traffic"
)

// Traffic is what became of a load.
type Traffic struct {
	Protocol traffic.Protocol `json:"protocol"`
	Method   string           `json:"method"`
	Body     int              `json:"body_bytes"`
	TLS      bool             `json:"tls"`
	Timeout  float64          `json:"timeout_ms"`
	Workers  int              `json:"workers"`
	Rate     float64          `json:"requests_per_second"` // as it was in the end

	// Latency is how long requests took to be answered, from when they were
	// due; Changing that of those sent while a change went on, Quiet of the
	// others.
	Latency  histogram.Distribution `json:"latency_ms"`
	Changing histogram.Distribution `json:"latency_during_changes_ms"`
	Quiet    histogram.Distribution `json:"latency_between_changes_ms"`
	Slow     int                    `json:"slower_than_sla"`

	// Unlabelled are answers without the labels that Envoy's filter gives
	// them, Partial those to bodies that did not arrive whole.
	Unlabelled int `json:"unlabelled"`
	Partial    int `json:"partial_bodies"`

	Hops *hops.Times `json:"hops,omitempty"` // nil: the control plane's traces are not the bench's
	Log  AccessLog   `json:"access_log"`
}

func (l *load) report() *Traffic {
	cfg := l.side.cfg.Load
	return &Traffic{
		Protocol: cfg.Protocol, Method: cfg.Method, Body: len(cfg.Body), TLS: cfg.TLS, Timeout: ms(cfg.Timeout), Workers: cfg.Workers,
		Rate:    float64(l.tally.Requests) / l.took.Seconds(),
		Latency: l.all.WithCurve(), Changing: l.changing.WithCurve(), Quiet: l.quiet.WithCurve(), Slow: l.slow,
		Unlabelled: l.bare, Partial: l.partial,
	}
}

// print writes what became of the load, under a title.
func (t *Traffic) print(to io.Writer, title string, limit float64) {
	fmt.Fprintf(to, "\n%s · a load of %s · %s made %.0f requests/s\n", title, t.what(), count(t.Workers, "worker"), t.Rate)
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "ms from when a request was due\tP50\tP90\tP99\tP99.9\tMAX\t")
	for _, row := range t.latencies() {
		row.print(w)
	}
	w.Flush()
	w = tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "µs on the way\tP50\tP90\tP99\tP99.9\tMAX\t")
	for _, row := range t.hops() {
		row.print(w)
	}
	w.Flush()
	fmt.Fprintf(to, "Envoy's access log has %s, %d without labels, %d at times when their requests were not under way · its metric counts %s under their label\n",
		count(t.Log.Lines, "line"), t.Log.Unlabelled, t.Log.Untimely, count(t.Log.Counted, "request"))
	fmt.Fprintf(to, "%d slower than %g ms · %d answers without the labels, %d bodies not whole\n", t.Slow, limit, t.Unlabelled, t.Partial)
}

// latencies are how long requests took, in milliseconds.
func (t *Traffic) latencies() []row {
	return []row{{"answered", t.Latency}, {"… sent during changes", t.Changing}, {"… between them", t.Quiet}}
}

// hops are the parts of the way, in microseconds.
func (t *Traffic) hops() []row {
	rows := []row{{"request: until Envoy begins", t.Log.Arrival}, {"envoy_us", t.Log.Own}, {"envoy_upstream_us", t.Log.Upstream}}
	if t.Hops != nil {
		rows = append([]row{{"change: cp_dispatch_us", t.Hops.Dispatch}, {"grpc_server_us", t.Hops.Server}, {"client_receive_us", t.Hops.Receive}, {"ack_us", t.Hops.Ack}}, rows...)
	}
	return slices.DeleteFunc(rows, func(r row) bool { return r.of.Count == 0 })
}
