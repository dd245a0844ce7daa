package load

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// Print writes the report as tables.
func (r *Report) Print(to io.Writer) {
	fmt.Fprintf(to, "%d proxies · pattern %s · nodes with %d extensions · %s/%s, %d CPUs · %s\n", r.Proxies, r.Pattern, r.Extensions,
		r.Machine.OS, r.Machine.Arch, r.Machine.CPUs, r.Version)
	r.printSummary(to)
	r.printChanges(to, "one change at a time", func(s Side) *Course { return &s.Changes })
	if r.Concerned > 0 {
		r.printChanges(to, fmt.Sprintf("changes that concern %d proxies (the floor has no others)", r.Concerned), func(s Side) *Course { return s.Concerned })
	}
	r.printStart(to)
	r.printStorm(to)
	r.printSteady(to)
	for _, s := range r.Sides {
		if s.Clock != nil {
			fmt.Fprintf(to, "\n%s\n", s.Clock)
		}
	}
	r.printDemands(to)
	met := "met"
	if !r.SLA.Met {
		met = "MISSED"
	}
	for _, s := range r.Sides {
		if s.Profile != nil {
			s.Profile.Print(to)
		}
	}
	fmt.Fprintf(to, "\nSLA %s: P99 from the call to the last proxy is %.1f ms on %s, of at most %s\n", met, r.SLA.P99, r.SLA.Side, time.Duration(r.SLA.Limit*float64(time.Millisecond)))
}

// table begins one, whose rows are the sides.
func table(to io.Writer, title, head string) *tabwriter.Writer {
	fmt.Fprintf(to, "\n%s\n", title)
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "side\tresources\t%s\t\n", head)
	return w
}

func (s Side) begin(w io.Writer) { fmt.Fprintf(w, "%s\t%d\t", s.Kind, s.Resources) }

// printSummary writes what control planes are first compared by. Times are
// from the commit; where clocks are too far apart for that, from the call.
func (r *Report) printSummary(to io.Writer) {
	w := table(to, "in short: one change at a time", "to the mean proxy, P50\tto the last proxy, P50\tserver CPU per change\tallocated per change\tRSS\tstart of all proxies")
	for _, s := range r.Sides {
		c := s.Changes
		reached := c.Commit
		if reached.Last.Count == 0 {
			reached = c.Call
		}
		s.begin(w)
		fmt.Fprintf(w, "%.1f ms\t%.1f ms\t%.1f ms\t%s\t%s\t%.0f ms\t\n", reached.Mean.P50, reached.Last.P50, c.CPU.Median, size(c.Allocated.Median), size(s.Start.RSS.Median), s.Start.Took.Median)
	}
	w.Flush()
}

func (r *Report) printChanges(to io.Writer, title string, of func(Side) *Course) {
	w := table(to, title+": ms from the commit to", "first P50\tmean P50\tlast P50\tP90\tP99\tP99.9\tmax\tany P99")
	for _, s := range r.Sides {
		if c := of(s); c != nil && c.Commit.Last.Count > 0 {
			s.begin(w)
			last := c.Commit.Last
			fmt.Fprintf(w, "%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t\n", c.Commit.First.P50, c.Commit.Mean.P50, last.P50, last.P90, last.P99, last.P999, last.Max, c.Commit.Any.P99)
		}
	}
	w.Flush()
	w = table(to, "each costs", "server CPU\t(turns)\tallocated\tobjects\ton the wire\tetcd\tcall to first P50\tcall to last P50\tthe bench itself, per response")
	for _, s := range r.Sides {
		if c := of(s); c != nil {
			s.begin(w)
			fmt.Fprintf(w, "%.1f ms\t%s\t%s\t%.0f\t%s\t%.1f ms\t%.1f ms\t%.1f ms\t%.1f µs\t\n", c.CPU.Median, c.CPU.spread("%.1f"), size(c.Allocated.Median), c.Objects.Median,
				size(c.Bytes.Median), c.Etcd.Median, c.Call.First.P50, c.Call.Last.P50, c.Own.Median)
		}
	}
	w.Flush()
}

func (r *Report) printStart(to io.Writer) {
	w := table(to, "start of all proxies, until the last has everything; then at rest", "took\t(turns)\tserver CPU\ton the wire\theap per proxy\tstacks\tgoroutines\tRSS\tRSS when empty")
	for _, s := range r.Sides {
		s.begin(w)
		b := s.Start
		fmt.Fprintf(w, "%.0f ms\t%s\t%.0f ms\t%s\t%s\t%s\t%.1f\t%s\t%s\t\n", b.Took.Median, b.Took.spread("%.0f"), b.CPU.Median, size(b.Bytes.Median),
			size(b.Heap.Median), size(b.Stacks.Median), b.Goroutines.Median, size(b.RSS.Median), size(b.Empty))
	}
	w.Flush()
}

func (r *Report) printStorm(to io.Writer) {
	var w *tabwriter.Writer
	for _, s := range r.Sides {
		if s.Storm == nil {
			continue
		}
		if w == nil {
			w = table(to, "reconnect storm: all proxies come back with everything, nothing has changed", "took\t(turns)\tserver CPU\tresources sent again\ton the wire\tstreams lost")
		}
		s.begin(w)
		fmt.Fprintf(w, "%.0f ms\t%s\t%.0f ms\t%.0f\t%s\t%.0f\t\n", s.Storm.Took.Median, s.Storm.Took.spread("%.0f"), s.Storm.CPU.Median, s.Storm.Resources.Median, size(s.Storm.Bytes.Median), s.Storm.Lost.Median)
	}
	if w != nil {
		w.Flush()
	}
}

func (r *Report) printSteady(to io.Writer) {
	var w *tabwriter.Writer
	for _, s := range r.Sides {
		if s.Steady == nil {
			continue
		}
		if w == nil {
			w = table(to, fmt.Sprintf("%d changes per second: ms from when a change was due to the last proxy", r.Rate),
				"P50\tP90\tP99\tP99.9\tmax\tmade\tof\tmissing\tresponses per proxy\tserver CPUs\theap, before\tafter\tRSS, before\tafter")
		}
		s.begin(w)
		c := s.Steady
		fmt.Fprintf(w, "%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%d\t%d\t%d\t%.0f\t%.2f\t%s\t%s\t%s\t%s\t\n", c.Lag.P50, c.Lag.P90, c.Lag.P99, c.Lag.P999, c.Lag.Max, c.Made, c.Asked,
			c.Missing, c.Responses, c.CPUs, size(c.HeapFirst), size(c.HeapLast), size(c.RSSFirst), size(c.RSSLast))
	}
	if w != nil {
		w.Flush()
	}
}

func (r *Report) printDemands(to io.Writer) {
	if len(r.Demands) == 0 {
		return
	}
	fmt.Fprintln(to, "\nwhat deltaplane is to reach, at most, in times of the floor unless a unit stands there; times are from the call, without etcd's part")
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	for _, d := range r.Demands {
		met := "met"
		if !d.Met {
			met = "MISSED"
		}
		fmt.Fprintf(w, "%d resources\t%s\tasked %.4g\tgot %.4g\t%s\t%s\n", d.Resources, d.What, d.Asked, d.Got, met, d.Unit)
	}
	w.Flush()
}

// spread is the least and the most of a figure, "" for one turn.
func (f Figure) spread(format string) string {
	if f.Turns < 2 {
		return ""
	}
	return fmt.Sprintf("("+format+"–"+format+")", f.Least, f.Most)
}

// size is an amount of bytes for people.
func size(bytes float64) string {
	switch {
	case bytes < 10<<10 && bytes > -10<<10:
		return fmt.Sprintf("%.0f B", bytes)
	case bytes < 10<<20:
		return fmt.Sprintf("%.1f KB", bytes/(1<<10))
	}
	return fmt.Sprintf("%.1f MB", bytes/(1<<20))
}
