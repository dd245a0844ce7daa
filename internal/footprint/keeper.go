package footprint

import (
	"context"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// Percent is how much garbage there may be to a hundred of what lives before
// it is collected (GOGC): what a control plane serves lives long, and it makes
// little else.
const Percent = 50

// What is free goes back but for half of what will be allocated until the next
// collection, and spare; not if that is less than spare. That takes at most one
// part in share of the time, after a collection has had settle to find what is
// free.
const (
	spare  = 16 << 20 // bytes
	share  = 4
	settle = 50 * time.Millisecond
)

// Keep keeps the process's memory small until ctx ends. Who sets GOGC or
// GOMEMLIMIT in the environment has decided himself: then it does nothing.
func Keep(ctx context.Context) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	before := debug.SetGCPercent(Percent)
	defer debug.SetGCPercent(before)
	collected := make(chan struct{}, 1)
	stop := afterCollections(collected)
	defer stop()
	for pause := settle; ; {
		select {
		case <-collected:
		case <-ctx.Done():
			return
		}
		rest := time.NewTimer(pause)
		select {
		case <-rest.C:
		case <-ctx.Done():
			rest.Stop()
			return
		}
		began := time.Now()
		if more := excess(read()); more > 0 {
			giveBack(more)
		}
		pause = max(settle, share*time.Since(began))
	}
}

// state is the heap's, in bytes.
type state struct {
	live uint64 // at the last collection
	goal uint64 // at which the next one ends
	free uint64 // pages in which there is nothing, and which were not given back
}

// read is the state now. It stops nothing.
func read() state {
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/goal:bytes"}, {Name: "/memory/classes/heap/free:bytes"}}
	metrics.Read(samples)
	return state{samples[0].Value.Uint64(), samples[1].Value.Uint64(), samples[2].Value.Uint64()}
}

// excess is how much of what is free is to go back.
func excess(s state) int64 {
	more := int64(s.free) - int64(s.goal-min(s.goal, s.live))/2 - spare
	if more < spare {
		return 0
	}
	return more
}

// Memory goes back in steps, each with an allocation.
const (
	step = 16 << 20
	page = 128 << 10
)

// giveBack gives back so many bytes of what is free. debug.FreeOSMemory would
// collect garbage first, which has just been done, and give back all. Instead
// the limit on memory is below what there is for a moment: who allocates then
// gives back what is over it, before anything is collected for it.
func giveBack(bytes int64) {
	before := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(before)
	for last := int64(math.MaxInt64); bytes > 0; bytes -= step {
		now := mapped()
		if now >= last {
			return // nothing more is free
		}
		debug.SetMemoryLimit(now - min(bytes, step))
		runtime.KeepAlive(make([]byte, page))
		last = now
	}
}

// mapped is what the runtime has of the machine's memory, in bytes.
func mapped() int64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return int64(samples[0].Value.Uint64()) - int64(samples[1].Value.Uint64())
}

// afterCollections has collected hear of each collection, until stop: an object
// that nobody has is found by each, and another one takes its place.
func afterCollections(collected chan<- struct{}) (stop func()) {
	ended := make(chan struct{})
	var arm func()
	arm = func() {
		runtime.AddCleanup(&sentinel{}, func(struct{}) {
			select {
			case <-ended:
				return
			case collected <- struct{}{}:
			default: // it has not heard of the last one yet
			}
			arm()
		}, struct{}{})
	}
	arm()
	return func() { close(ended) }
}

// sentinel is large enough to have memory of its own.
type sentinel struct{ _ [4]*byte }
