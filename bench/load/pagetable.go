package load

import (
	"fmt"

	"github.com/deltaplane/deltaplane/bench/histogram"
	"github.com/deltaplane/deltaplane/bench/report"
)

// figures are all figures, as tables whose rows are the sides.
func (r *Report) figures() report.Section {
	section := report.Section{Title: "All figures", Text: "Of several turns, the median, and in brackets the least and the most."}
	add := func(title string, head []string, cells func(Side) []string) {
		table := report.Table{Title: title, Head: append([]string{""}, head...)}
		for i, s := range r.Sides {
			if of := cells(s); of != nil {
				table.Rows = append(table.Rows, report.Row{Name: r.drawn(i).Name, Cells: of})
			}
		}
		if len(table.Rows) > 0 {
			section.Tables = append(section.Tables, table)
		}
	}
	course := func(title string, of func(Side) *Course) {
		add(title+": ms from the commit to the last proxy", []string{"first P50", "mean P50", "P50", "P90", "P99", "P99.9", "max"}, func(s Side) []string {
			c := of(s)
			if c == nil || c.Commit.Last.Count == 0 {
				return nil
			}
			return append([]string{report.Number(c.Commit.First.P50), report.Number(c.Commit.Mean.P50)}, percentiles(c.Commit.Last)...)
		})
		add(title+": ms from the call, and what each costs", []string{"first P50", "last P50", "etcd's part", "server CPU", "allocated", "objects", "on the wire"}, func(s Side) []string {
			c := of(s)
			if c == nil {
				return nil
			}
			return []string{report.Number(c.Call.First.P50), report.Number(c.Call.Last.P50), c.Etcd.text(" ms"), c.CPU.text(" ms"), size(c.Allocated.Median), c.Objects.text(""), size(c.Bytes.Median)}
		})
	}
	course("One change at a time", func(s Side) *Course { return &s.Changes })
	course(fmt.Sprintf("Changes that concern %d proxies", r.Concerned), func(s Side) *Course { return s.Concerned })
	add("Start of all proxies, and at rest", []string{"until all is there", "server CPU", "on the wire", "heap per proxy", "stacks", "goroutines", "RSS", "RSS when empty"}, func(s Side) []string {
		b := s.Start
		return []string{b.Took.text(" ms"), b.CPU.text(" ms"), size(b.Bytes.Median), size(b.Heap.Median), size(b.Stacks.Median), b.Goroutines.text(""), size(b.RSS.Median), size(b.Empty)}
	})
	add("All proxies come back with everything, nothing has changed", []string{"until all is quiet", "server CPU", "resources sent again", "on the wire"}, func(s Side) []string {
		if s.Storm == nil {
			return nil
		}
		return []string{s.Storm.Took.text(" ms"), s.Storm.CPU.text(" ms"), s.Storm.Resources.text(""), size(s.Storm.Bytes.Median)}
	})
	add(fmt.Sprintf("%d changes per second: ms to the last proxy", r.Rate), []string{"P50", "P90", "P99", "P99.9", "max", "made", "missing", "responses per proxy", "server CPUs", "heap before, after"}, func(s Side) []string {
		c := s.Steady
		if c == nil {
			return nil
		}
		return append(percentiles(c.Lag), fmt.Sprintf("%d of %d", c.Made, c.Asked), fmt.Sprint(c.Missing), report.Number(c.Responses), report.Number(c.CPUs),
			size(c.HeapFirst)+", "+size(c.HeapLast))
	})
	return section
}

// percentiles are P50, P90, P99, P99.9 and the largest.
func percentiles(d histogram.Distribution) []string {
	var cells []string
	for _, v := range []float64{d.P50, d.P90, d.P99, d.P999, d.Max} {
		cells = append(cells, report.Number(v))
	}
	return cells
}

// text is the figure for people; "–" where it was not measured.
func (f Figure) text(unit string) string {
	switch f.Turns {
	case 0:
		return "–"
	case 1:
		return report.Number(f.Median) + unit
	}
	return fmt.Sprintf("%s%s (%s–%s)", report.Number(f.Median), unit, report.Number(f.Least), report.Number(f.Most))
}
