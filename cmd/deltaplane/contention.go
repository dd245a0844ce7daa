package main

import (
	"fmt"
	"net/http"
	"net/http/pprof"
	"runtime"
	"sync"
)

// How contention is sampled while somebody asks for it: one in mutexFraction
// waits for a mutex, and one for each blockRate nanoseconds that goroutines are
// blocked.
const (
	mutexFraction = 5
	blockRate     = 10_000
)

// contention serves the profiles of waiting. Sampling costs every lock of the
// process a little, so it is on only while a request asks for some seconds of
// it. It is safe for concurrent use.
type contention struct {
	mu     sync.Mutex
	asking map[string]int // requests under way, by profile
}

// profile serves /debug/pprof/mutex or /debug/pprof/block, which must be name.
// Without ?seconds nothing would be in it, so that is an error which says so.
func (c *contention) profile(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("seconds") == "" {
			http.Error(w, fmt.Sprintf("%s is sampled on request: ask with ?seconds=10", name), http.StatusBadRequest)
			return
		}
		c.ask(name, 1)
		defer c.ask(name, -1)
		pprof.Handler(name).ServeHTTP(w, r)
	}
}

// ask counts a request that begins or ends, and turns sampling on with the
// first and off after the last.
func (c *contention) ask(name string, more int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asking[name] += more
	on := min(c.asking[name], 1)
	if name == "block" {
		runtime.SetBlockProfileRate(on * blockRate)
	} else {
		runtime.SetMutexProfileFraction(on * mutexFraction)
	}
}
