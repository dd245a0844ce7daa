package bench

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/deltaplane/deltaplane/bench/probe"
)

// Print writes the report as a table.
func (r *Report) Print(to io.Writer) {
	fmt.Fprintf(to, "%s: %d routes in %d hosts, %d Envoy(s) with %d worker(s), %d requests/s, %d CPUs\n",
		r.Pattern, r.Routes, r.Hosts, r.Envoys, r.Concurrency, r.Rate, r.Machine.CPUs)
	for _, s := range r.Sides {
		s.print(to, r.Envoys)
	}
	if len(r.Ratios) > 0 {
		fmt.Fprintf(to, "\n")
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
	fmt.Fprintf(to, "\n%s, ms from sending the change\n", strings.ToUpper(string(s.Shape)))
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\tP50\tP90\tP99\tP99.9\tMAX\t")
	s.Change.print(w, "", envoys)
	if s.File != nil {
		s.File.print(w, "whole file: ", envoys)
	}
	w.Flush()
	fmt.Fprintf(to, "%d changes: %s sent, %.2f ms of control plane CPU each · %s\n", s.Change.Count, size(s.Change.Bytes), s.Change.PlaneCPU, tally(s.Change.Probes))
	if s.File != nil {
		fmt.Fprintf(to, "%d whole files: %s sent, %.2f ms of control plane CPU each · %s\n", s.File.Count, size(s.File.Bytes), s.File.PlaneCPU, tally(s.File.Probes))
	}
	fmt.Fprintf(to, "all routes: %s\n", tally(s.Requests))
	fmt.Fprintf(to, "Envoy: %.1f µs of worker CPU per request, RSS %s, start %.0f ms · control plane: RSS %s\n",
		s.Envoy.WorkerPerRequest, size(float64(s.Envoy.RSS)), s.Envoy.Start.P50, size(float64(s.ControlPlane.RSS)))
}

func (e Effects) print(w io.Writer, prefix string, envoys int) {
	row := func(name string, d Distribution) {
		fmt.Fprintf(w, "%s%s\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t\n", prefix, name, d.P50, d.P90, d.P99, d.P999, d.Max)
	}
	row("stored", e.Stored)
	row("of that, etcd", e.Etcd)
	row("acknowledged", e.Acked)
	row("first request", e.FirstRequest)
	row("first request, without etcd", e.WithoutEtcd)
	row("last old request", e.LastOld)
	if envoys > 1 {
		row("first request, slowest Envoy", e.LastEnvoy)
	}
	row("Envoy's main thread CPU", e.MainCPU)
}

func tally(t probe.Tally) string {
	text := fmt.Sprintf("%d requests, %d lost, %d misrouted", t.Requests, t.Lost, t.Misrouted)
	for reason, n := range t.Reasons {
		text += fmt.Sprintf(" · %d × %s", n, reason)
	}
	return text
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
