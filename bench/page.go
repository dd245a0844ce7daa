package bench

import (
	"fmt"
	"strings"
	"time"

	"github.com/deltaplane/deltaplane/bench/report"
)

// Page is the report with plots, for people.
func (r *Report) Page() report.Page {
	page := report.Page{
		Title:   fmt.Sprintf("deltaplane bench: one %s changes, of %s", r.Pattern, count(r.Routes, "route")),
		Verdict: &report.Verdict{Met: r.SLA.Met, Text: fmt.Sprintf("P99 of the first request under the new configuration is %s ms on %s, of at most %s ms", report.Number(r.SLA.P99), r.last().Shape, report.Round(r.SLA.Limit))},
		Facts: []report.Fact{
			{Name: "measured", Value: fmt.Sprintf("%s in %s · %s of %s on each side · %d requests/s to all routes", count(r.Routes, "route"), count(r.Hosts, "host"), count(r.Envoys, "Envoy"), count(r.Concurrency, "worker"), r.Rate)},
			{Name: "machine", Value: fmt.Sprintf("%s/%s, %s, of which the bench itself kept %.2f busy", r.Machine.OS, r.Machine.Arch, count(r.Machine.CPUs, "CPU"), r.OwnCPUs)},
			{Name: "versions", Value: fmt.Sprintf("deltaplane %s · Envoy %s", r.Version, r.Envoy)},
			{Name: "begun", Value: r.Began.Format(time.RFC1123)},
		},
	}
	if r.Server != nil {
		page.Facts = append(page.Facts, report.Fact{Name: "control plane", Value: strings.Join(r.Server.facts(), " · ")})
	}
	if r.Traces != "" {
		page.Facts = append(page.Facts, report.Fact{Name: "traces", Value: "of each change, sent to " + r.Traces})
	}
	if r.Command != "" {
		page.Facts = append(page.Facts, report.Fact{Name: "command", Value: r.Command})
	}
	page.Sections = append(page.Sections, r.overview(), r.times(), r.costs())
	if load, ok := r.load(); ok {
		page.Sections = append(page.Sections, load)
	}
	for _, s := range r.Sides {
		page.Sections = append(page.Sections, s.section(r.Envoys))
		if s.Profile != nil {
			page.Sections = append(page.Sections, s.Profile.Section("the control plane of "+string(s.Shape)))
		}
	}
	return page
}

// last is the side that the verdict is about.
func (r *Report) last() Side { return r.Sides[len(r.Sides)-1] }

// side is how side i is drawn: the last one, which the verdict is about, first
// in the order of colours.
func (r *Report) side(i int) report.Side {
	return report.Side{Name: string(r.Sides[i].Shape), Colour: len(r.Sides) - 1 - i}
}

// overview compares the sides by what ratios are made of.
func (r *Report) overview() report.Section {
	table := report.Table{Head: []string{""}}
	for _, s := range r.Sides {
		table.Head = append(table.Head, string(s.Shape))
	}
	for _, s := range r.Sides[1:] {
		table.Head = append(table.Head, fmt.Sprintf("%s / %s", r.Sides[0].Shape, s.Shape))
	}
	for _, m := range measures {
		if m.several && r.Envoys == 1 {
			continue
		}
		row := report.Row{Name: m.name}
		base := m.of(r.Sides[0])
		for _, s := range r.Sides {
			row.Cells = append(row.Cells, m.text(m.of(s)))
		}
		for _, s := range r.Sides[1:] {
			ratio := "–"
			if below := m.of(s); below > 0 {
				ratio = report.Number(base/below) + " ×"
			}
			row.Cells = append(row.Cells, ratio)
		}
		table.Rows = append(table.Rows, row)
	}
	text := "All times count from before the change is sent to the API. A first request is one that was routed anew, when it was answered."
	for _, s := range r.Sides {
		lost := s.Requests.Lost + s.Change.Probes.Lost
		wrong := s.Requests.Misrouted + s.Change.Probes.Misrouted
		tone := report.Good
		if lost+wrong > 0 {
			tone = report.Bad
		}
		table.Rows = append(table.Rows, report.Row{Tone: tone, Name: fmt.Sprintf("%s: %d lost, %d misrouted of %s", s.Shape, lost, wrong,
			count(s.Requests.Requests+s.Change.Probes.Requests, "request"))})
	}
	return report.Section{Title: "In short", Text: text, Tables: []report.Table{table}}
}

// times plots how long changes took.
func (r *Report) times() report.Section {
	limit := &report.Limit{Name: fmt.Sprintf("SLA %s ms", report.Round(r.SLA.Limit)), Value: r.SLA.Limit}
	first := report.Percentiles{Title: "First request under the new configuration", Unit: "ms", Limit: limit}
	acked := report.Percentiles{Title: "Acknowledged by the last Envoy", Unit: "ms"}
	order := report.Sequence{Title: "First request, change by change", Unit: "ms", Of: "change", Limit: limit,
		Text: "At the slowest Envoy. A drift or steps here are of the machine or the load, not of single changes."}
	for i, s := range r.Sides {
		first.Curves = append(first.Curves, report.Curve{Side: r.side(i), Of: s.Change.FirstRequest})
		acked.Curves = append(acked.Curves, report.Curve{Side: r.side(i), Of: s.Change.Acked})
		order.Runs = append(order.Runs, report.Values{Side: r.side(i), Values: s.Change.InOrder})
	}
	return report.Section{Title: "How long", Plots: []report.Plot{first, acked, order}}
}

// costs plots what changes and requests cost.
func (r *Report) costs() report.Section {
	section := report.Section{Title: "What it costs", Text: "CPU time, each process by itself. Machines differ: compare sides, not runs."}
	bars := func(title, unit string, value func(Side) float64) {
		b := report.Bars{Title: title, Unit: unit}
		for i, s := range r.Sides {
			b.Bars = append(b.Bars, report.Bar{Side: r.side(i), Value: value(s)})
		}
		section.Plots = append(section.Plots, b)
	}
	bars("Control plane, per change", "ms", func(s Side) float64 { return s.Change.PlaneCPU })
	bars("Envoy's main thread, per change (P50)", "ms", func(s Side) float64 { return s.Change.MainCPU.P50 })
	bars("Envoy's workers, per request", "µs", func(s Side) float64 { return s.Envoy.WorkerPerRequest })
	bars("Sent to all Envoys, per change", "KB", func(s Side) float64 { return s.Change.Bytes / 1024 })
	bars("Envoy's memory", "MB", func(s Side) float64 { return float64(s.Envoy.RSS) / (1 << 20) })
	bars("Control plane's memory", "MB", func(s Side) float64 { return float64(s.ControlPlane.RSS) / (1 << 20) })
	return section
}

// section has all figures of a side.
func (s Side) section(envoys int) report.Section {
	section := report.Section{Title: "All figures: " + string(s.Shape)}
	add := func(title string, e Effects) {
		table := report.Table{Title: title, Head: []string{"ms from sending the change", "P50", "P90", "P99", "P99.9", "max"}}
		for _, row := range e.rows(envoys) {
			table.Rows = append(table.Rows, report.Row{Name: row.name, Cells: row.cells()})
		}
		section.Tables = append(section.Tables, table)
	}
	add(count(s.Change.Count, "change"), s.Change)
	if s.File != nil {
		add(count(s.File.Count, "time")+" the whole file", *s.File)
	}
	section.Text = "Probes: " + tally(s.Change.Probes) + ". All routes: " + tally(s.Requests) + "."
	return section
}
