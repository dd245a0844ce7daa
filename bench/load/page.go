package load

import (
	"fmt"
	"time"

	"github.com/deltaplane/deltaplane/bench/report"
)

// Page is the report with plots, for people.
func (r *Report) Page() report.Page {
	proxies := report.Round(float64(r.Proxies))
	page := report.Page{
		Title: fmt.Sprintf("deltaplane bench: changes (%s) at %s proxies", r.Pattern, proxies),
		Verdict: &report.Verdict{Met: r.SLA.Met, Text: fmt.Sprintf("P99 from the call of the API to the last proxy is %s ms on %s, of at most %s ms",
			report.Number(r.SLA.P99), r.SLA.Side, report.Round(r.SLA.Limit))},
		Facts: []report.Fact{
			{Name: "measured", Value: fmt.Sprintf("%s simulated proxies on each side, each on a connection of its own, with %d extensions in its node", proxies, r.Extensions)},
			{Name: "machine", Value: fmt.Sprintf("%s/%s, %d CPUs, shared by servers and proxies", r.Machine.OS, r.Machine.Arch, r.Machine.CPUs)},
			{Name: "version", Value: "deltaplane " + r.Version},
			{Name: "begun", Value: r.Began.Format(time.RFC1123)},
		},
	}
	if r.CommandLine != "" {
		page.Facts = append(page.Facts, report.Fact{Name: "command", Value: r.CommandLine})
	}
	for _, s := range r.Sides {
		if s.Clock != nil {
			page.Facts = append(page.Facts, report.Fact{Name: "clocks", Value: s.Clock.String()})
		}
	}
	if len(r.Demands) > 0 {
		page.Sections = append(page.Sections, r.demanded())
	}
	page.Sections = append(page.Sections, r.times(), r.costs(), r.figures())
	for i, s := range r.Sides {
		if s.Profile != nil {
			page.Sections = append(page.Sections, s.Profile.Section(r.drawn(i).Name))
		}
	}
	return page
}

// demanded are the demands one by one, and whether each is met.
func (r *Report) demanded() report.Section {
	table := report.Table{Head: []string{"", "resources", "at most", "got", ""}}
	for _, d := range r.Demands {
		row := report.Row{Name: d.What, Tone: report.Bad}
		if d.Met {
			row.Tone = report.Good
		}
		unit := d.Unit
		if unit == "" {
			unit = "× the floor"
		}
		row.Cells = []string{report.Round(float64(d.Resources)), report.Round(d.Asked), report.Number(d.Got), unit}
		table.Rows = append(table.Rows, row)
	}
	return report.Section{
		Title: "What deltaplane is to reach", Tables: []report.Table{table},
		Text: "The floor sends ready bytes to all and decides nothing. It ran in the same run, in turns with the others. Times count from the call of the API, without etcd's part.",
	}
}

// drawn is how side i is drawn: floors in grey, the others in colours.
func (r *Report) drawn(i int) report.Side {
	s := r.Sides[i]
	side := report.Side{Name: string(s.Kind), Reference: s.Kind.floor()}
	for _, before := range r.Sides[:i] {
		if !before.Kind.floor() {
			side.Colour++
		}
	}
	for _, other := range r.Sides {
		if other.Resources != s.Resources {
			side.Name = fmt.Sprintf("%s, %s", s.Kind, report.Round(float64(s.Resources)))
		}
	}
	return side
}

// times plots how long changes took.
func (r *Report) times() report.Section {
	limit := &report.Limit{Name: fmt.Sprintf("SLA %s ms", report.Round(r.SLA.Limit)), Value: r.SLA.Limit}
	last := report.Percentiles{Title: "From the call of the API to the last proxy", Unit: "ms", Limit: limit}
	anyone := report.Percentiles{Title: "From the commit to any proxy", Unit: "ms", Text: "All changes at all proxies."}
	order := report.Sequence{Title: "From the call to the last proxy, change by change", Unit: "ms", Of: "change", Limit: limit,
		Text: "A drift or steps here are of the machine or the load, not of single changes."}
	lag := report.Percentiles{Title: fmt.Sprintf("At %d changes per second, from when a change was due to the last proxy", r.Rate), Unit: "ms"}
	for i, s := range r.Sides {
		side := r.drawn(i)
		last.Curves = append(last.Curves, report.Curve{Side: side, Of: s.Changes.Call.Last})
		anyone.Curves = append(anyone.Curves, report.Curve{Side: side, Of: s.Changes.Commit.Any})
		order.Runs = append(order.Runs, report.Values{Side: side, Values: s.Changes.InOrder})
		if s.Steady != nil {
			lag.Curves = append(lag.Curves, report.Curve{Side: side, Of: s.Steady.Lag})
		}
	}
	section := report.Section{Title: "How long", Plots: []report.Plot{last, anyone, order}}
	if len(lag.Curves) > 0 {
		section.Plots = append(section.Plots, lag)
	}
	return section
}

// costs plots what changes and proxies cost the servers.
func (r *Report) costs() report.Section {
	section := report.Section{Title: "What it costs the server", Text: "Medians of turns. Machines differ: compare sides, not runs."}
	bars := func(title, unit string, each float64, of func(Side) Figure) {
		b := report.Bars{Title: title, Unit: unit}
		for i, s := range r.Sides {
			if f := of(s); f.Turns > 0 {
				b.Bars = append(b.Bars, report.Bar{Side: r.drawn(i), Value: f.Median / each})
			}
		}
		if len(b.Bars) > 0 {
			section.Plots = append(section.Plots, b)
		}
	}
	bars("CPU, per change", "ms", 1, func(s Side) Figure { return s.Changes.CPU })
	bars("Allocated, per change", "MB", 1<<20, func(s Side) Figure { return s.Changes.Allocated })
	bars("Sent to all proxies, per change", "KB", 1<<10, func(s Side) Figure { return s.Changes.Bytes })
	bars("Memory (RSS), with all proxies", "MB", 1<<20, func(s Side) Figure { return s.Start.RSS })
	bars("Live heap, per proxy at rest", "KB", 1<<10, func(s Side) Figure { return s.Start.Heap })
	bars("Start of all proxies", "ms", 1, func(s Side) Figure { return s.Start.Took })
	bars("CPU, when all come back and nothing has changed", "ms", 1, func(s Side) Figure {
		if s.Storm == nil {
			return Figure{}
		}
		return s.Storm.CPU
	})
	return section
}
