package load

import (
	"fmt"
	"slices"
	"time"
)

// SLA says whether the promise was kept: the P99 of the time from the call of
// the API to the last proxy, on the side deltaplane, or the first without it.
type SLA struct {
	Side  Kind    `json:"side"`
	Limit float64 `json:"limit_ms"`
	P99   float64 `json:"p99_ms"`
	Met   bool    `json:"met"`
}

func verdict(sides []Side, limit time.Duration) SLA {
	of := sides[0]
	if i := slices.IndexFunc(sides, func(s Side) bool { return s.Kind == Deltaplane }); i >= 0 {
		of = sides[i]
	}
	last := of.Changes.Call.Last
	return SLA{of.Kind, ms(limit), last.P99, last.Count > 0 && last.P99 <= ms(limit)}
}

// Demand is something that deltaplane is to reach, as a ratio to the floor of
// the same run unless it says otherwise.
type Demand struct {
	Resources int     `json:"resources"`
	What      string  `json:"what"`
	Asked     float64 `json:"asked"` // at most
	Got       float64 `json:"got"`
	Met       bool    `json:"met"`
	Unit      string  `json:"unit,omitempty"` // of Asked and Got; "": times the floor's
}

// demands judges deltaplane by the floor, for each number of resources, and by
// itself where there are several. Without a floor there are none.
func demands(sides []Side) (all []Demand) {
	of := func(kind Kind) (found []Side) {
		for _, s := range sides {
			if s.Kind == kind {
				found = append(found, s)
			}
		}
		return found
	}
	ours, floors := of(Deltaplane), of(Floor)
	if len(ours) != len(floors) {
		return nil
	}
	for i := range ours {
		all = append(all, against(ours[i], floors[i])...)
	}
	if len(ours) > 1 {
		all = append(all, flat(ours)...)
	}
	return all
}

// last is the time from the call to the last proxy, P50, without etcd's part.
// It counts in what the API takes, of which a floor has nearly nothing.
func (c Course) last() float64 { return c.Call.Last.P50 - c.Etcd.Median }

// against are the demands on one side by a floor with the same resources.
func against(ours, floor Side) (all []Demand) {
	demand := func(what string, asked, got float64, unit string) {
		all = append(all, Demand{ours.Resources, what, asked, got, got <= asked, unit})
	}
	times := func(what string, asked, got, base float64) {
		if base > 0 {
			demand(what, asked, got/base, "")
		}
	}
	a, b := ours.Changes, floor.Changes
	times("to the last proxy, P50", 1.3, a.last(), b.last())
	times("to the last proxy, P99 (an aim)", 2, a.Call.Last.P99-a.Etcd.Median, b.Call.Last.P99)
	times("to the first proxy, P50", 2, a.Call.First.P50-a.Etcd.Median, b.Call.First.P50)
	times("server CPU per change", 1.5, a.CPU.Median, b.CPU.Median)
	demand("allocated per change", 2, a.Allocated.Median/1e6, "MB")
	if c, d := ours.Concerned, floor.Concerned; c != nil && d != nil {
		times("a change that concerns few: to the last of them, P50", 3, c.last(), d.last())
		times("a change that concerns few: server CPU", 3, c.CPU.Median, d.CPU.Median)
	}
	times("start of all proxies", 2, ours.Start.Took.Median, floor.Start.Took.Median)
	allowed := 2*floor.Start.RSS.Median + 3*float64(ours.Size)
	demand(fmt.Sprintf("memory (RSS) beyond the %.0f MB of an empty server with etcd", ours.Start.Empty/1e6), allowed/1e6,
		(ours.Start.RSS.Median-ours.Start.Empty)/1e6, "MB")
	idle := func(s Side) float64 { return s.Start.Heap.Median + s.Start.Stacks.Median }
	demand("memory of a proxy at rest beyond the floor's, stacks included", 16, (idle(ours)-idle(floor))/1024, "KB")
	if c, d := ours.Storm, floor.Storm; c != nil && d != nil {
		demand("reconnect storm: resources sent again", 0, c.Resources.Median, "resources")
		times("reconnect storm: until all is quiet", 1.5, c.Took.Median, d.Took.Median)
		times("reconnect storm: server CPU", 1.5, c.CPU.Median, d.CPU.Median)
	}
	if c, d := ours.Steady, floor.Steady; c != nil && d != nil {
		demand("at a rate: changes that did not get there", 0, float64(c.Missing+c.Asked-c.Made), "changes")
		times("at a rate: lag of the last proxy, P50", 1.3, c.Lag.P50, d.Lag.P50)
		demand("at a rate: live heap at the end", 1.1, c.HeapLast/max(1, c.HeapFirst), "times that at the beginning")
	}
	return all
}

// flat compares the side with the most resources with that with the fewest.
func flat(ours []Side) []Demand {
	bySize := slices.SortedFunc(slices.Values(ours), func(a, b Side) int { return a.Resources - b.Resources })
	few, many := bySize[0], bySize[len(bySize)-1]
	unit := fmt.Sprintf("times that of %d resources", few.Resources)
	var all []Demand
	for _, m := range []struct {
		what string
		of   func(Side) float64
	}{
		{"to the last proxy, P50", func(s Side) float64 { return s.Changes.last() }},
		{"server CPU per change", func(s Side) float64 { return s.Changes.CPU.Median }},
	} {
		if base := m.of(few); base > 0 {
			got := m.of(many) / base
			all = append(all, Demand{many.Resources, m.what, 1.15, got, got <= 1.15, unit})
		}
	}
	return all
}
