package demo

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/deltaplane/deltaplane/internal/traffic"
)

// printer tells what happens: a line for each flip, and on a terminal a status
// line below them.
type printer struct {
	cfg   Config
	out   io.Writer
	count int

	// In microseconds.
	stored, acknowledged, traffic *hdrhistogram.Histogram
}

func newPrinter(cfg Config) *printer {
	histogram := func() *hdrhistogram.Histogram {
		return hdrhistogram.New(1, (2 * flipPatience).Microseconds(), 3)
	}
	return &printer{cfg: cfg, out: cfg.Out, stored: histogram(), acknowledged: histogram(), traffic: histogram()}
}

func (p *printer) opening() {
	shape := "in one table, which goes out in parts"
	if p.cfg.Plain {
		shape = "in one table, which goes out as it is written"
	}
	fmt.Fprintf(p.out, "A gateway with %s routes (%s hosts × %d), %s.\nStarting Envoy …\n",
		thousands(uint64(p.cfg.Hosts*p.cfg.Routes)), thousands(uint64(p.cfg.Hosts)), p.cfg.Routes, shape)
}

func (p *printer) running(s *scene) {
	fmt.Fprintf(p.out, `
  Envoy   http://%s  (pid %d, admin http://%s)
  API     %s
  try     curl -H 'host: %s' http://%s%s

Times count from sending the change to the API: stored durably, acknowledged by
Envoy, first request answered by the new route. %d requests/s all the while.

%5s  %-38s %-8s %9s %9s %9s %12s %7s
`, s.address, s.proxy.Pid(), s.proxy.AdminAddress(), s.cfg.API, s.gateway.Host(0), s.address, s.gateway.Path(0), s.cfg.Rate,
		"FLIP", "ROUTE", "NOW", "STORED", "ACK", "TRAFFIC", "REQUESTS", "FAILED")
}

// flip prints one line, and on a terminal the status line anew.
func (p *printer) flip(f flip, r traffic.Report) {
	p.count++
	p.record(p.stored, f.stored)
	p.record(p.traffic, f.traffic)
	ack := "–"
	if f.acknowledged > 0 {
		p.record(p.acknowledged, f.acknowledged)
		ack = milliseconds(f.acknowledged)
	}
	wipe := ""
	if p.cfg.TTY {
		wipe = "\r\x1b[K"
	}
	fmt.Fprintf(p.out, "%s%5d  %-38s %-8s %9s %9s %9s %12s %7d\n", wipe, p.count, fmt.Sprintf("host-%04d.example.test/service-%d/", f.host, f.route), f.to,
		milliseconds(f.stored), ack, milliseconds(f.traffic), thousands(r.Requests), r.Failures)
	if p.cfg.TTY {
		fmt.Fprintf(p.out, "%d flips · to traffic P50 %s, P99 %s, max %s · Ctrl-C ends", p.count,
			quantile(p.traffic, 50), quantile(p.traffic, 99), quantile(p.traffic, 100))
	}
}

func (p *printer) summary(r traffic.Report, lost error) {
	if p.cfg.TTY {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
	missing := "all of them arrived"
	if lost != nil {
		missing = "then one did not arrive"
	}
	fmt.Fprintf(p.out, "\n%d flips, %s · %s requests, %s failed\n", p.count, missing, thousands(r.Requests), thousands(r.Failures))
	if p.count == 0 {
		return
	}
	fmt.Fprintf(p.out, "%-24s %10s %10s %10s\n", "from sending the change", "P50", "P99", "MAX")
	for _, row := range []struct {
		name string
		h    *hdrhistogram.Histogram
	}{{"stored", p.stored}, {"acknowledged by Envoy", p.acknowledged}, {"in traffic", p.traffic}} {
		if row.h.TotalCount() > 0 {
			fmt.Fprintf(p.out, "%-24s %10s %10s %10s\n", row.name, quantile(row.h, 50), quantile(row.h, 99), quantile(row.h, 100))
		}
	}
	if p.cfg.Plain {
		fmt.Fprintln(p.out, "\nMost of that is Envoy rebuilding the whole table for one changed route, as it does by default under any control plane.")
	} else {
		fmt.Fprintln(p.out, "\nEnvoy rebuilt a small part of the table for each; --plain shows what it does with the whole of it.")
	}
}

// record keeps d; what is beyond the histogram counts as its end.
func (p *printer) record(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(min(max(d.Microseconds(), 1), h.HighestTrackableValue()))
}

func quantile(h *hdrhistogram.Histogram, q float64) string {
	return milliseconds(time.Duration(h.ValueAtQuantile(q)) * time.Microsecond)
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}

// thousands is n with separators: "12,345".
func thousands(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
