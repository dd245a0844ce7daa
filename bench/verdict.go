package bench

import "time"

// SLA says whether the promise was kept: the P99 of the time from before the
// commit to the answer of the first request under the new configuration, on
// the last side.
type SLA struct {
	Limit float64 `json:"limit_ms"`
	P99   float64 `json:"p99_ms"`
	Met   bool    `json:"met"`
}

func verdict(sides []Side, limit time.Duration) SLA {
	first := sides[len(sides)-1].Change.FirstRequest
	sla := SLA{Limit: float64(limit) / float64(time.Millisecond), P99: first.P99}
	sla.Met = first.Count > 0 && sla.P99 <= sla.Limit
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

// measures are what ratios are made of.
var measures = []struct {
	name string
	of   func(Side) float64
}{
	{"first request P50", func(s Side) float64 { return s.Change.FirstRequest.P50 }},
	{"first request P99", func(s Side) float64 { return s.Change.FirstRequest.P99 }},
	{"first request without etcd P50", func(s Side) float64 { return s.Change.WithoutEtcd.P50 }},
	{"first request without etcd P99", func(s Side) float64 { return s.Change.WithoutEtcd.P99 }},
	{"last Envoy P50", func(s Side) float64 { return s.Change.LastEnvoy.P50 }},
	{"last Envoy P99", func(s Side) float64 { return s.Change.LastEnvoy.P99 }},
	{"main thread CPU P50", func(s Side) float64 { return s.Change.MainCPU.P50 }},
	{"control plane CPU", func(s Side) float64 { return s.Change.PlaneCPU }},
	{"bytes sent", func(s Side) float64 { return s.Change.Bytes }},
	{"worker CPU per request", func(s Side) float64 { return s.Envoy.WorkerPerRequest }},
	{"Envoy RSS", func(s Side) float64 { return float64(s.Envoy.RSS) }},
	{"Envoy start P50", func(s Side) float64 { return s.Envoy.Start.P50 }},
}
