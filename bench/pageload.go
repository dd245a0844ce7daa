package bench

import (
	"fmt"

	"github.com/deltaplane/deltaplane/bench/histogram"
	"github.com/deltaplane/deltaplane/bench/report"
)

// load shows what became of the requests of a load; ok is false if there was
// none.
func (r *Report) load() (_ report.Section, ok bool) {
	limit := &report.Limit{Name: fmt.Sprintf("SLA %s ms", report.Round(r.SLA.Limit)), Value: r.SLA.Limit}
	plot := func(title string, of func(*Traffic) histogram.Distribution) report.Percentiles {
		p := report.Percentiles{Title: title, Unit: "ms", Limit: limit}
		for i, s := range r.Sides {
			if s.Load != nil {
				p.Curves = append(p.Curves, report.Curve{Side: r.side(i), Of: of(s.Load)})
			}
		}
		return p
	}
	section := report.Section{Title: "The load", Plots: []report.Plot{
		plot("Requests sent while a change went on", func(t *Traffic) histogram.Distribution { return t.Changing }),
		plot("Requests sent between changes", func(t *Traffic) histogram.Distribution { return t.Quiet }),
	}}
	for _, s := range r.Sides {
		if s.Load == nil {
			continue
		}
		ok = true
		section.Text = s.Load.what() + "; how long a request takes counts from when it was due. Hops of a request are from Envoy's access log"
		if s.Load.Hops != nil {
			section.Text += ", those of a change from the control plane's traces"
		}
		section.Text += "."
		section.Tables = append(section.Tables, s.Load.tables(string(s.Shape), r.SLA.Limit)...)
	}
	return section, ok
}

// what says which requests were made.
func (t *Traffic) what() string {
	secure := ""
	if t.TLS {
		secure = ", TLS to the backends"
	}
	return fmt.Sprintf("%s %s, bodies of %s%s", t.Protocol, t.Method, size(float64(t.Body)), secure)
}

// tables are all figures of one side's load.
func (t *Traffic) tables(side string, limit float64) []report.Table {
	figures := func(title, unit string, rows []row) report.Table {
		table := report.Table{Title: side + ": " + title, Head: []string{unit, "P50", "P90", "P99", "P99.9", "max"}}
		for _, one := range rows {
			table.Rows = append(table.Rows, report.Row{Name: one.name, Cells: one.cells()})
		}
		return table
	}
	counts := report.Table{Title: fmt.Sprintf("%s: %s made %.0f requests/s", side, count(t.Workers, "worker"), t.Rate)}
	for _, c := range []struct {
		name string
		n    int
		bad  bool
	}{
		{fmt.Sprintf("slower than %s ms", report.Round(limit)), t.Slow, false},
		{"answers without the labels", t.Unlabelled, true},
		{"bodies not whole", t.Partial, true},
		{"lines of Envoy's access log", t.Log.Lines, false},
		{"… without labels", t.Log.Unlabelled, true},
		{"… at times when their requests were not under way", t.Log.Untimely, true},
		{"requests that Envoy's metric has under their label", t.Log.Counted, false},
	} {
		tone := report.Neutral
		if c.bad && c.n > 0 {
			tone = report.Bad
		}
		counts.Rows = append(counts.Rows, report.Row{Name: c.name, Cells: []string{fmt.Sprint(c.n)}, Tone: tone})
	}
	return []report.Table{
		figures("requests", "ms from when a request was due", t.latencies()),
		figures("hops", "µs on the way", t.hops()),
		counts,
	}
}
