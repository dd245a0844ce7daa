package bench

import (
	"time"

	"github.com/deltaplane/deltaplane/bench/report"
)

// SLA says whether the promise was kept: the P99 of the time from before the
// commit to the answer of the first request under the new configuration, on
// the last side, where no request of a load was lost or misrouted.
type SLA struct {
	Limit float64 `json:"limit_ms"`
	P99   float64 `json:"p99_ms"`
	Met   bool    `json:"met"`
}

func verdict(sides []Side, limit time.Duration) SLA {
	last := sides[len(sides)-1]
	first := last.Change.FirstRequest
	sla := SLA{Limit: float64(limit) / float64(time.Millisecond), P99: first.P99}
	sla.Met = first.Count > 0 && sla.P99 <= sla.Limit && (last.Load == nil || last.Requests.Lost+last.Requests.Misrouted == 0)
	return sla
}

// Ratio compares two sides of one run: how often Of's value goes into Base's.
type Ratio struct {
	What  string  `json:"what"`
	Base  Shape   `json:"base"`
	Of    Shape   `json:"of"`
	Ratio float64 `json:"ratio"` // 0: nothing to divide by
}

// ratios compare the first side with each other one.
func ratios(sides []Side) []Ratio {
	var all []Ratio
	base := sides[0]
	for _, of := range sides[1:] {
		for _, m := range measures {
			ratio := Ratio{What: m.name, Base: base.Shape, Of: of.Shape}
			if below := m.of(of); below > 0 {
				ratio.Ratio = m.of(base) / below
			}
			all = append(all, ratio)
		}
	}
	return all
}

// measures are what sides are compared by.
var measures = []measure{
	{name: "first request P50", text: milliseconds, of: func(s Side) float64 { return s.Change.FirstRequest.P50 }},
	{name: "first request P99", text: milliseconds, of: func(s Side) float64 { return s.Change.FirstRequest.P99 }},
	{name: "first request without etcd P50", text: milliseconds, of: func(s Side) float64 { return s.Change.WithoutEtcd.P50 }},
	{name: "first request without etcd P99", text: milliseconds, of: func(s Side) float64 { return s.Change.WithoutEtcd.P99 }},
	{name: "last Envoy P50", text: milliseconds, of: func(s Side) float64 { return s.Change.LastEnvoy.P50 }, several: true},
	{name: "last Envoy P99", text: milliseconds, of: func(s Side) float64 { return s.Change.LastEnvoy.P99 }, several: true},
	{name: "main thread CPU P50", text: milliseconds, of: func(s Side) float64 { return s.Change.MainCPU.P50 }},
	{name: "control plane CPU", text: milliseconds, of: func(s Side) float64 { return s.Change.PlaneCPU }},
	{name: "bytes sent", text: size, of: func(s Side) float64 { return s.Change.Bytes }},
	{name: "worker CPU per request", text: microseconds, of: func(s Side) float64 { return s.Envoy.WorkerPerRequest }},
	{name: "Envoy RSS", text: size, of: func(s Side) float64 { return float64(s.Envoy.RSS) }},
	{name: "Envoy start P50", text: milliseconds, of: func(s Side) float64 { return s.Envoy.Start.P50 }},
}

// measure is a figure that each side has.
type measure struct {
	name string
	text func(float64) string // the value for people
	of   func(Side) float64

	several bool // says the same as another where there is one Envoy
}

func milliseconds(v float64) string { return report.Number(v) + " ms" }
func microseconds(v float64) string { return report.Number(v) + " µs" }
