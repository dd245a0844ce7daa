package load

import (
	"runtime"
	"time"

	"github.com/deltaplane/deltaplane/bench/histogram"
	"github.com/deltaplane/deltaplane/bench/profile"
)

// Report is what a run has measured. Its JSON is what `bench -o json` prints.
type Report struct {
	Version     string    `json:"deltaplane_version,omitempty"`
	CommandLine string    `json:"command,omitempty"`
	Began       time.Time `json:"began"`
	Machine     Machine   `json:"machine"`
	Pattern     string    `json:"pattern"`
	Proxies     int       `json:"proxies"` // of each side
	Extensions  int       `json:"node_extensions"`
	ByName      bool      `json:"by_name"`
	Concerned   int       `json:"concerned,omitempty"`
	Rate        int       `json:"changes_per_second,omitempty"`
	Sides       []Side    `json:"sides"`
	Demands     []Demand  `json:"demands,omitempty"` // with a floor
	SLA         SLA       `json:"sla"`
}

// Machine says where the run was.
type Machine struct {
	OS   string `json:"os"`
	Arch string `json:"arch"`
	CPUs int    `json:"cpus"`
}

// Side is one of what was compared.
type Side struct {
	Kind      Kind             `json:"kind"`
	Resources int              `json:"resources"`
	Size      int              `json:"resources_bytes"` // of all, encoded
	Changes   Course           `json:"changes"`         // one at a time, to all proxies
	Concerned *Course          `json:"concerned,omitempty"`
	Start     Start            `json:"start"`
	Storm     *Storm           `json:"storm,omitempty"`
	Steady    *Steady          `json:"steady,omitempty"`
	Clock     *Clock           `json:"clock,omitempty"` // of a server elsewhere
	Profile   *profile.Summary `json:"profile,omitempty"`
}

// Course are the results of changes that are made one at a time.
type Course struct {
	Call      Reach     `json:"from_call"`                  // of the API
	Commit    Reach     `json:"from_commit"`                // at the earliest: what the call took that the server does not tell of counts in
	InOrder   []float64 `json:"last_from_call_in_order_ms"` // of one change after the other, turn after turn
	CPU       Figure    `json:"server_cpu_ms"`
	Etcd      Figure    `json:"etcd_ms"`
	Allocated Figure    `json:"allocated_bytes"`
	Objects   Figure    `json:"allocated_objects"`
	Bytes     Figure    `json:"wire_bytes"`             // received by all proxies, with all framing
	Own       Figure    `json:"bench_cpu_us_per_reply"` // of the bench itself, for a response and its acknowledgement
}

// Start is of the start of all proxies at once, and of what they cost at rest.
type Start struct {
	Took       Figure  `json:"took_ms"` // until the last one had everything
	CPU        Figure  `json:"server_cpu_ms"`
	Bytes      Figure  `json:"wire_bytes"`
	Heap       Figure  `json:"heap_bytes_per_proxy"`  // live, of a further one
	Stacks     Figure  `json:"stack_bytes_per_proxy"` // 0 where a rival does not tell
	Goroutines Figure  `json:"goroutines_per_proxy"`  //
	Empty      float64 `json:"rss_bytes_without_any"` // of the server before it had resources: etcd's part, where there is one
	RSS        Figure  `json:"rss_bytes"`             // with all proxies, after the changes
}

// Storm is of the return of all proxies at once, with everything they hold,
// while nothing has changed.
type Storm struct {
	Took      Figure `json:"took_ms"` // until the server has rest
	CPU       Figure `json:"server_cpu_ms"`
	Bytes     Figure `json:"wire_bytes"`
	Resources Figure `json:"resources_sent_again"`
	Lost      Figure `json:"streams_lost"` // that ended, so that their proxies came back once more
}

// Steady is of changes at a rate.
type Steady struct {
	Asked     int                    `json:"asked"` // changes
	Made      int                    `json:"made"`
	Seconds   float64                `json:"seconds"`
	Missing   int                    `json:"missing"` // that did not reach all proxies
	Lag       histogram.Distribution `json:"lag_ms"`  // from when a change was due to the last proxy
	Responses float64                `json:"responses_per_proxy"`
	CPUs      float64                `json:"server_cpus"`
	HeapFirst float64                `json:"heap_bytes_first"` // live
	HeapLast  float64                `json:"heap_bytes_last"`
	RSSFirst  float64                `json:"rss_bytes_first"`
	RSSLast   float64                `json:"rss_bytes_last"`
}

func (r *run) report() *Report {
	cfg := r.cfg
	report := &Report{
		Version: cfg.Version, CommandLine: cfg.CommandLine, Began: r.began, Machine: Machine{runtime.GOOS, runtime.GOARCH, runtime.NumCPU()},
		Pattern: cfg.Pattern, Proxies: cfg.Proxies, Extensions: cfg.Extensions, ByName: cfg.ByName, Concerned: cfg.Concerned, Rate: cfg.Rate,
	}
	for _, s := range r.sides {
		report.Sides = append(report.Sides, s.report())
	}
	report.Demands = demands(report.Sides)
	report.SLA = verdict(report.Sides, cfg.SLA)
	return report
}

func (s *side) report() Side {
	r := &s.results
	side := Side{
		Kind: s.kind, Resources: s.set.Len(), Size: s.set.Bytes(), Changes: r.single.report(),
		Start: Start{
			Took: r.start.took.figure(), CPU: r.start.cpu.figure(), Bytes: r.start.bytes.figure(), Heap: r.start.heap.figure(),
			Stacks: r.start.stacks.figure(), Goroutines: r.start.goroutines.figure(), RSS: r.start.rss.figure(), Empty: s.empty,
		},
	}
	if r.concerned.cpu != nil {
		course := r.concerned.report()
		side.Concerned = &course
	}
	if storm := r.storm; storm.took != nil {
		side.Storm = &Storm{storm.took.figure(), storm.cpu.figure(), storm.bytes.figure(), storm.resources.figure(), storm.lost.figure()}
	}
	if side.Clock, side.Profile = s.clock, s.profile; s.clock != nil && s.clock.Refused != "" {
		side.Changes.Commit = Reach{}
		if side.Concerned != nil {
			side.Concerned.Commit = Reach{}
		}
	}
	if c := r.steady; c != nil {
		side.Steady = &Steady{
			Asked: c.asked, Made: c.made, Seconds: c.took.Seconds(), Missing: c.missing, Lag: c.lag.WithCurve(), Responses: c.responses, CPUs: c.cpu,
			HeapFirst: c.before.heap, HeapLast: c.end.heap, RSSFirst: c.before.rss, RSSLast: c.end.rss,
		}
	}
	return side
}

func (c course) report() Course {
	return Course{
		Call: c.call.report(), Commit: c.commit.report(), InOrder: c.inOrder, CPU: c.cpu.figure(), Etcd: c.etcd.figure(),
		Allocated: c.allocated.figure(), Objects: c.objects.figure(), Bytes: c.bytes.figure(), Own: c.own.figure(),
	}
}
