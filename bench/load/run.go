package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/deltaplane/deltaplane/bench/histogram"
)

// Run measures. Nothing that it started is left when it returns.
func Run(ctx context.Context, cfg Config) (_ *Report, err error) {
	if cfg, err = cfg.withDefaults(); err != nil {
		return nil, err
	}
	r := &run{cfg: cfg}
	defer func() { err = errors.Join(err, r.close()) }()
	for _, kind := range cfg.Sides {
		cfg.Progress(Progress{Side: string(kind), Step: "server"})
		s, err := openSide(ctx, &r.cfg, kind)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", kind, err)
		}
		r.sides = append(r.sides, s)
	}
	for range cfg.Repetitions {
		for _, s := range r.sides {
			err := s.turn(ctx, func(step string, done, total int) {
				cfg.Progress(Progress{Side: string(s.kind), Step: step, Done: done, Total: total})
			})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.kind, err)
			}
		}
	}
	report := &Report{}
	for _, s := range r.sides {
		report.Sides = append(report.Sides, s.report())
	}
	return report, nil
}

// run is one call of Run.
type run struct {
	cfg   Config
	sides []*side
}

// close ends the servers.
func (r *run) close() (err error) {
	for _, s := range r.sides {
		err = errors.Join(err, s.close())
	}
	return err
}

// Report is what a run has measured.
type Report struct {
	Sides []Side `json:"sides"`
}

// Side is one of what was compared.
type Side struct {
	Kind     Kind                   `json:"kind"`
	Call     histogram.Distribution `json:"call_ms"` // from the call of the API, to each proxy
	First    histogram.Distribution `json:"first_ms"`
	Mean     histogram.Distribution `json:"mean_ms"`
	Last     histogram.Distribution `json:"last_ms"`
	CallMean float64                `json:"call_mean_ms"` // of Call
	CPU      float64                `json:"server_cpu_ms_per_change"`
	Own      float64                `json:"own_cpu_ms_per_change"`
	Alloc    float64                `json:"allocated_bytes_per_change"`
	Bytes    float64                `json:"bytes_per_change"`
	RSS      float64                `json:"rss_bytes"`
	Starts   []float64              `json:"start_ms"`
}

func (s *side) report() Side {
	r := &s.results
	n := float64(r.changes)
	side := Side{
		Kind: s.kind, Call: r.call.any.Distribution(), CallMean: ms(r.call.any.Mean()), First: r.commit.first.Distribution(), Mean: r.commit.mean.Distribution(), Last: r.commit.last.Distribution(),
		CPU: ms(r.cpu) / n, Own: ms(r.own) / n, Alloc: r.alloc / n, Bytes: float64(r.bytes) / n, RSS: r.rss[len(r.rss)-1],
	}
	for _, d := range r.start {
		side.Starts = append(side.Starts, ms(d))
	}
	return side
}

func ms(d time.Duration) float64 { return d.Seconds() * 1000 }

// Print writes the report as a table.
func (r *Report) Print(to io.Writer) {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\tfirst\tmean\tlast P50\tP99\tCPU/change\town\talloc/change\tbytes/change\tRSS\tstart\t")
	for _, s := range r.Sides {
		fmt.Fprintf(w, "%s\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f ms\t%.1f ms\t%.2f MB\t%.0f\t%.0f MB\t%.0f ms\t\n", s.Kind, s.First.P50, s.Mean.P50, s.Last.P50, s.Last.P99,
			s.CPU, s.Own, s.Alloc/1e6, s.Bytes, s.RSS/1e6, s.Starts[0])
	}
	w.Flush()
}
