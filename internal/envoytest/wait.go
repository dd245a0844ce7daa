package envoytest

import (
	"context"
	"fmt"
	"regexp"
	"testing"
	"time"
)

// pollEvery is how often Eventually looks: Envoy's admin interface has no
// events to wait for.
const pollEvery = 10 * time.Millisecond

// Eventually waits until condition is nil. The test fails with the last
// condition when Patience ends first.
func Eventually(t testing.TB, what string, condition func(context.Context) error) {
	t.Helper()
	ctx := Context(t)
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	var last error
	for {
		err := condition(ctx)
		if err == nil {
			return
		}
		if last == nil || ctx.Err() == nil {
			last = err // not what the end of the wait itself leads to
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited for %s: %v", what, last)
		}
	}
}

// WaitReady waits until Envoy has its first configuration and accepts.
func (e *Envoy) WaitReady() {
	e.t.Helper()
	Eventually(e.t, "Envoy to be ready", e.Ready)
}

// WaitListener waits until a listener accepts and returns its host:port.
func (e *Envoy) WaitListener(name string) (address string) {
	e.t.Helper()
	Eventually(e.t, "listener "+name, func(ctx context.Context) error {
		listeners, err := e.Listeners(ctx)
		if err != nil {
			return err
		}
		if address = listeners[name]; address == "" {
			return fmt.Errorf("there are only %v", listeners)
		}
		return nil
	})
	return address
}

// Stat is one counter or gauge; one that Envoy does not have is zero.
func (e *Envoy) Stat(name string) uint64 {
	e.t.Helper()
	return e.StatsMatching("^" + regexp.QuoteMeta(name) + "$")[name]
}

// StatsMatching are the counters and gauges that match a regular expression.
func (e *Envoy) StatsMatching(filter string) map[string]uint64 {
	e.t.Helper()
	stats, err := e.Stats(Context(e.t), filter)
	if err != nil {
		e.t.Fatal(err)
	}
	return stats
}

// WaitStat waits until a counter or gauge is what accept wants.
func (e *Envoy) WaitStat(name string, accept func(uint64) bool) {
	e.t.Helper()
	Eventually(e.t, "statistic "+name, func(ctx context.Context) error {
		stats, err := e.Stats(ctx, "^"+regexp.QuoteMeta(name)+"$")
		if err != nil {
			return err
		}
		if !accept(stats[name]) {
			return fmt.Errorf("it is %d", stats[name])
		}
		return nil
	})
}
