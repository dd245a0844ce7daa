package bench

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/deltaplane/deltaplane/bench/histogram"
	"github.com/deltaplane/deltaplane/bench/probe"
	"github.com/deltaplane/deltaplane/bench/report"
)

// Print writes the report as tables.
func (r *Report) Print(to io.Writer) {
	fmt.Fprintf(to, "%s: %s in %s · %s of %s · %d requests/s · Envoy %s, %s/%s, %s\n",
		r.Pattern, count(r.Routes, "route"), count(r.Hosts, "host"), count(r.Envoys, "Envoy"), count(r.Concurrency, "worker"),
		r.Rate, r.Envoy, r.Machine.OS, r.Machine.Arch, count(r.Machine.CPUs, "CPU"))
	if r.Server != nil {
		for _, fact := range r.Server.facts() {
			fmt.Fprintln(to, fact)
		}
	}
	if r.Traces != "" {
		fmt.Fprintf(to, "each change was traced, and its trace sent to %s\n", r.Traces)
	}
	for _, s := range r.Sides {
		s.print(to, r.Envoys)
		if s.Load != nil {
			s.Load.print(to, strings.ToUpper(string(s.Shape)), r.SLA.Limit)
		}
	}
	fmt.Fprintf(to, "\nthe bench itself kept %.2f CPUs busy while changes were made\n", r.OwnCPUs)
	if len(r.Ratios) > 0 {
		fmt.Fprintln(to)
		w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
		for _, one := range r.Ratios {
			fmt.Fprintf(w, "%s / %s\t%s\t%.2f\n", one.Base, one.Of, one.What, one.Ratio)
		}
		w.Flush()
	}
	met := "met"
	if !r.SLA.Met {
		met = "MISSED"
	}
	fmt.Fprintf(to, "\nSLA %s: P99 of the first request is %.2f ms on %s, of at most %g ms\n", met, r.SLA.P99, r.Sides[len(r.Sides)-1].Shape, r.SLA.Limit)
}

func (s Side) print(to io.Writer, envoys int) {
	name := strings.ToUpper(string(s.Shape))
	s.Change.print(to, name+" · "+count(s.Change.Count, "change"), envoys)
	if s.File != nil {
		s.File.print(to, name+" · "+count(s.File.Count, "time")+" the whole file", envoys)
	}
	fmt.Fprintf(to, "\n%s · a request costs %.1f µs of a worker · Envoy has %s, and starts in %.0f ms", name,
		s.Envoy.WorkerPerRequest, size(float64(s.Envoy.RSS)), s.Envoy.Start.P50)
	if s.ControlPlane.RSS > 0 {
		fmt.Fprintf(to, " · the control plane has %s", size(float64(s.ControlPlane.RSS)))
	}
	fmt.Fprintln(to)
	fmt.Fprintf(to, "all routes: %s\n", tally(s.Requests))
	if s.Profile != nil {
		fmt.Fprintf(to, "\n%s · profile of the control plane\n", name)
		s.Profile.Print(to)
	}
}

func (e Effects) print(to io.Writer, title string, envoys int) {
	fmt.Fprintf(to, "\n%s\n", title)
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "ms from sending the change\tP50\tP90\tP99\tP99.9\tMAX\t")
	for _, row := range e.rows(envoys) {
		row.print(w)
	}
	w.Flush()
	fmt.Fprintf(to, "each sends %s", size(e.Bytes))
	if e.PlaneCPU > 0 {
		fmt.Fprintf(to, " and costs the control plane %.2f ms of CPU", e.PlaneCPU)
	}
	fmt.Fprintf(to, " · probes: %s\n", tally(e.Probes))
}

// row is a line of a table of times.
type row struct {
	name string
	of   histogram.Distribution
}

func (r row) print(to io.Writer) {
	fmt.Fprintf(to, "%s\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t\n", r.name, r.of.P50, r.of.P90, r.of.P99, r.of.P999, r.of.Max)
}

// cells are the row's figures on a page.
func (r row) cells() (cells []string) {
	for _, v := range []float64{r.of.P50, r.of.P90, r.of.P99, r.of.P999, r.of.Max} {
		cells = append(cells, report.Number(v))
	}
	return cells
}

// rows are all that has values.
func (e Effects) rows(envoys int) []row {
	rows := []row{
		{"stored", e.Stored}, {"… by the server's clock", e.StoredThere}, {"etcd's part of that", e.Etcd}, {"acknowledged", e.Acked}, {"first request", e.FirstRequest},
		{"… sent", e.FirstSent}, {"… without etcd's part", e.WithoutEtcd}, {"… from the commit, by the server's clock", e.FromCommit},
	}
	rows = slices.Insert(rows, 3, e.Arrivals.rows()...)
	if envoys > 1 {
		rows = append(rows, row{"… at the slowest Envoy", e.LastEnvoy})
	}
	rows = append(rows, row{"last old request", e.LastOld}, row{"CPU of Envoy's main thread", e.MainCPU})
	return slices.DeleteFunc(rows, func(r row) bool { return r.of.Count == 0 })
}

func tally(t probe.Tally) string {
	text := fmt.Sprintf("%s, %d lost, %d misrouted", count(t.Requests, "request"), t.Lost, t.Misrouted)
	for reason, n := range t.Reasons {
		text += fmt.Sprintf(" · %d × %s", n, strings.TrimSpace(reason))
	}
	return text
}

// count is "1 route", "10,000 routes".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text + " " + what + "s"
}

// size is an amount of bytes for people.
func size(bytes float64) string {
	switch {
	case bytes < 10<<10:
		return fmt.Sprintf("%.0f B", bytes)
	case bytes < 10<<20:
		return fmt.Sprintf("%.1f KB", bytes/(1<<10))
	}
	return fmt.Sprintf("%.1f MB", bytes/(1<<20))
}
