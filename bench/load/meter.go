package load

import (
	"context"
	"time"

	"github.com/deltaplane/deltaplane/bench/proc"
)

// meter says what a server's process has taken.
type meter interface {
	// quiet waits until the process has nothing more to do. It tells when that
	// began, and the CPU that the process has taken until now.
	quiet(ctx context.Context) (since time.Time, cpu time.Duration, err error)
	// rss is its memory in RAM, in bytes.
	rss(ctx context.Context) (float64, error)
}

// local is the meter of a process on this machine.
type local struct{ pid int }

func (l local) rss(context.Context) (float64, error) {
	bytes, err := proc.RSS(l.pid)
	return float64(bytes), err
}

// A process is quiet when it has run for less than quietCPU in quietFor, and
// not because others have the CPUs. It is waited for at most quietPatience:
// what a server does for other reasons must not hold the bench up.
const (
	quietEvery    = 2 * time.Millisecond
	quietFor      = 10 * time.Millisecond
	quietCPU      = 200 * time.Microsecond
	quietPatience = time.Minute
)

func (l local) quiet(ctx context.Context) (since time.Time, cpu time.Duration, err error) {
	tick := time.NewTicker(quietEvery)
	defer tick.Stop()
	since = time.Now()
	if cpu, err = proc.CPU(l.pid); err != nil {
		return since, cpu, err
	}
	base := cpu
	for began := since; time.Since(began) < quietPatience; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return since, cpu, context.Cause(ctx)
		}
		now := time.Now()
		if cpu, err = proc.CPU(l.pid); err != nil {
			return since, cpu, err
		}
		busy := cpu-base >= quietCPU
		if !busy && now.Sub(since) < quietFor {
			continue
		}
		if !busy {
			if busy, err = proc.Runnable(l.pid); err != nil {
				return since, cpu, err
			}
		}
		if !busy {
			return since, cpu, nil
		}
		since, base = now, cpu
	}
	return since, cpu, nil
}

// remote is the meter of a control plane elsewhere, by its metrics. That it is
// quiet is only hoped for, since to ask more often would keep it busy.
type remote struct{ plane *deltaplane }

// remoteRest is what a control plane elsewhere gets to become quiet.
const remoteRest = 100 * time.Millisecond

// Metrics of a process, in Prometheus' text format.
const (
	metricCPU = "process_cpu_seconds_total" // in steps of 10 ms
	metricRSS = "process_resident_memory_bytes"
)

func (r remote) quiet(ctx context.Context) (since time.Time, cpu time.Duration, err error) {
	since = time.Now()
	timer := time.NewTimer(remoteRest)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return since, 0, context.Cause(ctx)
	}
	var seconds float64
	err = r.plane.metrics(ctx, map[string]*float64{metricCPU: &seconds})
	return since, time.Duration(seconds * float64(time.Second)), err
}

func (r remote) rss(ctx context.Context) (bytes float64, err error) {
	err = r.plane.metrics(ctx, map[string]*float64{metricRSS: &bytes})
	return bytes, err
}
