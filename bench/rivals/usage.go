package main

import (
	"runtime"
	"runtime/metrics"
)

// usage is what this process has used, since its start where it says so.
type usage struct {
	AllocBytes    uint64 `json:"alloc_bytes"`     // allocated on the heap since the start
	Mallocs       uint64 `json:"mallocs"`         // objects allocated since the start
	HeapLiveBytes uint64 `json:"heap_live_bytes"` // what the last collection left
	StackBytes    uint64 `json:"stack_bytes"`     // of goroutines, now
	Goroutines    int    `json:"goroutines"`
	Streams       int64  `json:"streams"`  // gRPC streams, or connections of tcp
	Requests      int64  `json:"requests"` // decoded since the start, acknowledgements among them
}

// readUsage stops the process for some microseconds; with gc it collects the
// garbage first.
func readUsage(c *counts, gc bool) usage {
	if gc {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	return usage{
		AllocBytes: m.TotalAlloc, Mallocs: m.Mallocs, HeapLiveBytes: live[0].Value.Uint64(), StackBytes: m.StackInuse,
		Goroutines: runtime.NumGoroutine(), Streams: c.streams.Load(), Requests: c.requests.Load(),
	}
}
