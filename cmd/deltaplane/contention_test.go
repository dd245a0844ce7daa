package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
)

func TestWaitingIsSampledOnlyWhileItIsAskedFor(t *testing.T) {
	c := &contention{asking: map[string]int{}}
	on := func() bool { return runtime.SetMutexProfileFraction(-1) > 0 }
	for _, step := range []struct {
		more int
		want bool
	}{{0, false}, {1, true}, {1, true}, {-1, true}, {-1, false}} {
		if step.more != 0 {
			c.ask("mutex", step.more)
		}
		if on() != step.want {
			t.Errorf("after %+d, with %d asking: sampled %v", step.more, c.asking["mutex"], on())
		}
	}
	// A caller who goes away ends the sampling.
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for _, name := range []string{"mutex", "block"} {
		answer := httptest.NewRecorder()
		c.profile(name)(answer, httptest.NewRequestWithContext(gone, http.MethodGet, "/debug/pprof/"+name+"?seconds=60", nil))
		if c.asking[name] != 0 || on() {
			t.Errorf("%s: %d asking, sampled %v", name, c.asking[name], on())
		}
		answer = httptest.NewRecorder()
		c.profile(name)(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/debug/pprof/"+name, nil))
		if answer.Code != http.StatusBadRequest || !strings.Contains(answer.Body.String(), "?seconds=10") {
			t.Errorf("%s without seconds: %d %s", name, answer.Code, answer.Body)
		}
	}
}
