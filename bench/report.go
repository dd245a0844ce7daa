package bench

import (
	"context"
	"runtime"
	"time"

	"github.com/deltaplane/deltaplane/bench/histogram"
	"github.com/deltaplane/deltaplane/bench/hops"
	"github.com/deltaplane/deltaplane/bench/probe"
	"github.com/deltaplane/deltaplane/bench/proc"
	"github.com/deltaplane/deltaplane/bench/profile"
)

// Report is what a run has measured. Its JSON is what `bench -o json` prints.
type Report struct {
	Version     string    `json:"deltaplane_version,omitempty"`
	Command     string    `json:"command,omitempty"`
	Began       time.Time `json:"began"`
	Envoy       string    `json:"envoy_version"`
	Pattern     Pattern   `json:"pattern"`
	Routes      int       `json:"routes"`
	Hosts       int       `json:"hosts"`
	Envoys      int       `json:"envoys"` // of each side
	Concurrency int       `json:"concurrency"`
	Rate        int       `json:"requests_per_second"`
	Machine     Machine   `json:"machine"`
	// Server is the control plane, if the run has not started it.
	Server *Elsewhere `json:"server,omitempty"`
	// Traces is who got those of all changes; making them is in the figures.
	Traces  string  `json:"traces_to,omitempty"`
	OwnCPUs float64 `json:"bench_cpus"` // that the bench itself kept busy while changes were made
	Sides   []Side  `json:"sides"`
	Ratios  []Ratio `json:"ratios,omitempty"` // of the first side to each other one
	SLA     SLA     `json:"sla"`
}

// Machine says where the run was.
type Machine struct {
	OS   string `json:"os"`
	Arch string `json:"arch"`
	CPUs int    `json:"cpus"`
}

// Side is one of what was compared.
type Side struct {
	Shape        Shape     `json:"shape"`
	Change       Effects   `json:"change"`               // of single changes
	File         *Effects  `json:"whole_file,omitempty"` // of applying the whole file for a change
	Envoy        Envoy     `json:"envoy"`
	ControlPlane PlaneCost `json:"control_plane"`
	// Profile is where the control plane's time went, if that was asked for.
	Profile *profile.Summary `json:"profile,omitempty"`
	// Requests to all routes, all the while, and to measure their cost; those
	// of a load, if there is one.
	Requests probe.Tally `json:"requests"`
	Load     *Traffic    `json:"load,omitempty"`
}

// Effects are what changes of one kind led to. Times count from before the
// change is sent to the API.
type Effects struct {
	Count int `json:"count"`
	// Stored is when the API's commit is durable and published, Etcd how much
	// of it etcd took, Acked when the last Envoy has acknowledged.
	Stored histogram.Distribution `json:"stored_ms"`
	Etcd   histogram.Distribution `json:"etcd_ms"`
	Acked  histogram.Distribution `json:"acked_ms"`
	// StoredThere is Stored by the clock of a control plane elsewhere, corrected,
	// and not an upper bound; without any count where the clocks are too far
	// apart for that, and for the run's own.
	StoredThere histogram.Distribution `json:"stored_by_server_ms"`
	// FirstRequest is when the first request that was routed anew was
	// answered, FirstSent when it was sent: the truth is in between.
	// WithoutEtcd is FirstRequest less what etcd took of that commit.
	FirstRequest histogram.Distribution `json:"first_request_ms"`
	FirstSent    histogram.Distribution `json:"first_request_sent_ms"`
	WithoutEtcd  histogram.Distribution `json:"first_request_without_etcd_ms"`
	// FromCommit is FirstRequest from StoredThere on.
	FromCommit histogram.Distribution `json:"first_request_from_commit_ms"`
	// Arrivals are what relays have dated, if there are any.
	Arrivals *Arrivals `json:"arrivals,omitempty"`
	// LastOld is when the last request was sent that was routed as before.
	LastOld histogram.Distribution `json:"last_old_request_ms"`
	// LastEnvoy is FirstRequest of the slowest Envoy.
	LastEnvoy histogram.Distribution `json:"last_envoy_ms"`
	// InOrder are the times behind LastEnvoy, from the first change on.
	InOrder []float64 `json:"last_envoy_in_order_ms"`
	// MainCPU is what a change cost an Envoy's main thread.
	MainCPU  histogram.Distribution `json:"envoy_main_cpu_ms"`
	PlaneCPU float64                `json:"control_plane_cpu_ms"` // per change
	Bytes    float64                `json:"bytes_sent"`           // per change, to all Envoys
	Probes   probe.Tally            `json:"probes"`
}

// Envoy is what Envoys cost beside changes.
type Envoy struct {
	WorkerPerRequest float64                `json:"worker_us_per_request"` // CPU, the median of portions
	RSS              int64                  `json:"rss_bytes"`             // the largest one's, at the end
	Start            histogram.Distribution `json:"start_ms"`              // to the first good answer
}

// PlaneCost is what the control plane costs beside changes.
type PlaneCost struct {
	RSS int64 `json:"rss_bytes"` // at the end; 0: not known
}

func (r *run) report(ctx context.Context) (*Report, error) {
	version, err := r.sides[0].proxies[0].version(ctx)
	if err != nil {
		return nil, err
	}
	report := &Report{
		Version: r.cfg.Version, Command: r.cfg.CommandLine, Began: r.began, Envoy: version,
		Pattern: r.cfg.Pattern, Routes: r.cfg.Routes, Hosts: r.cfg.Hosts, Envoys: r.cfg.Envoys, Concurrency: r.cfg.Concurrency,
		Rate: r.cfg.Rate, Machine: Machine{runtime.GOOS, runtime.GOARCH, runtime.NumCPU()}, OwnCPUs: r.own,
	}
	if r.cfg.Traces != "" {
		report.Traces = hops.Redacted(r.cfg.Traces)
	}
	for _, s := range r.sides {
		side, err := s.report()
		if err != nil {
			return nil, err
		}
		report.Sides = append(report.Sides, side)
	}
	if report.Server = r.elsewhere(); report.Server != nil && report.Server.Clock.Refused != "" {
		report.refuseOneWay()
	}
	report.Ratios = ratios(report.Sides)
	report.SLA = verdict(report.Sides, r.cfg.SLA)
	return report, nil
}

func (s *side) report() (Side, error) {
	report := Side{Shape: s.shape, Change: s.changes.report(), Requests: s.walked, Profile: s.profile}
	if s.files.made > 0 {
		files := s.files.report()
		report.File = &files
	}
	if s.load != nil {
		report.Load, report.Requests = s.load.report(), s.load.tally
	}
	report.Envoy.Start = s.starts.Distribution()
	report.Envoy.WorkerPerRequest = float64(median(s.workerCosts)) / float64(time.Microsecond)
	if s.load != nil {
		report.Envoy.WorkerPerRequest = float64(s.load.cost) / float64(time.Microsecond)
	}
	for _, p := range s.proxies {
		rss, err := proc.RSS(p.process.Pid())
		if err != nil {
			return report, err
		}
		report.Envoy.RSS = max(report.Envoy.RSS, rss)
	}
	var err error
	report.ControlPlane.RSS, err = s.memory()
	return report, err
}

// refuseOneWay takes out the times that two clocks are needed for.
func (r *Report) refuseOneWay() {
	for i := range r.Sides {
		side := &r.Sides[i]
		for _, e := range []*Effects{&side.Change, side.File} {
			if e == nil {
				continue
			}
			e.StoredThere, e.FromCommit = histogram.Distribution{}, histogram.Distribution{}
			if e.Arrivals != nil {
				e.Arrivals.FromCommit = histogram.Distribution{}
			}
		}
	}
}

func (e *effects) report() Effects {
	return Effects{
		Count: e.made, Stored: e.stored.Distribution(), StoredThere: e.storedThere.Distribution(), Etcd: e.etcd.Distribution(), Acked: e.ack.WithCurve(),
		FirstRequest: e.first.WithCurve(), FirstSent: e.firstSent.Distribution(), WithoutEtcd: e.firstWithoutEtcd.Distribution(), FromCommit: e.firstFromCommit.Distribution(),
		LastOld: e.lastOld.Distribution(), LastEnvoy: e.lastEnvoy.Distribution(), InOrder: e.inOrder, MainCPU: e.main.Distribution(),
		PlaneCPU: per(ms(e.cpu), e.made), Arrivals: e.arrivals.report(), Bytes: per(e.bytes, e.made), Probes: e.tally,
	}
}

// per is a sum divided by a count; 0 for none.
func per(sum float64, count int) float64 {
	if count == 0 {
		return 0
	}
	return sum / float64(count)
}

// ms is d in milliseconds.
func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
