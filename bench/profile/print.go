package profile

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/deltaplane/deltaplane/bench/report"
)

// Print writes the top functions as tables.
func (s *Summary) Print(to io.Writer) {
	for _, top := range s.Tops {
		fmt.Fprintf(to, "\n%s: %s\n", top.Of, top.total())
		if !top.matters() {
			continue
		}
		w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "FLAT\tIN ITSELF\tCUM\tWITH WHAT IT CALLS")
		for i := range max(len(top.Flat), len(top.Cumulative)) {
			flat, cumulative := top.pair(i)
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", flat[0], flat[1], cumulative[0], cumulative[1])
		}
		w.Flush()
	}
	fmt.Fprintf(to, "\nprofiles are in %s; `go tool pprof` and `go tool trace` read them\n", s.Dir)
	if s.Envoy != "" {
		fmt.Fprintf(to, "Envoy: %s\n", s.Envoy)
	}
}

// Section is the same for a page, about the process that is named.
func (s *Summary) Section(of string) report.Section {
	section := report.Section{
		Title: "Where the time went: " + of,
		Text: fmt.Sprintf("While changes were made, which profiling itself slowed down a little. The files are in %s, for go tool pprof and go tool trace: %s, %s, %s, %s, %s, %s.",
			s.Dir, CPUFile, AllocsFile, HeapFile, MutexFile, BlockFile, TraceFile),
	}
	if s.Envoy != "" {
		section.Text += " Envoy: " + s.Envoy + "."
	}
	for _, top := range s.Tops {
		if !top.matters() {
			section.Text += fmt.Sprintf(" In all, %s: %s.", top.Of, top.total())
			continue
		}
		table := report.Table{Title: top.Of + ": " + top.total(), Head: []string{"function", "in itself", "function", "with what it calls"}}
		for i := range max(len(top.Flat), len(top.Cumulative)) {
			flat, cumulative := top.pair(i)
			table.Rows = append(table.Rows, report.Row{Name: flat[1], Cells: []string{flat[0], cumulative[1], cumulative[0]}})
		}
		section.Tables = append(section.Tables, table)
	}
	return section
}

// matters reports whether there is enough for a list that says something.
func (t Top) matters() bool { return t.Unit == Bytes && t.Total > 0 || t.Total >= 0.01 }

// total is the top's total for people.
func (t Top) total() string {
	if t.Unit == Bytes {
		return report.Number(t.Total/(1<<20)) + " MB"
	}
	return report.Number(t.Total) + " s"
}

// pair is line i of both lists: share and name, empty where a list has ended.
func (t Top) pair(i int) (flat, cumulative [2]string) {
	if i < len(t.Flat) {
		flat = [2]string{percent(t.Flat[i].Flat), t.Flat[i].Short()}
	}
	if i < len(t.Cumulative) {
		cumulative = [2]string{percent(t.Cumulative[i].Cumulative), t.Cumulative[i].Short()}
	}
	return flat, cumulative
}

func percent(part float64) string { return fmt.Sprintf("%.1f %%", 100*part) }
