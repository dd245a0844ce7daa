package load

import (
	"context"
	"time"

	"github.com/deltaplane/deltaplane/bench/proc"
)

// A process is quiet when it has run for less than quietCPU in quietFor. It is
// waited for at most quietPatience: what a server does for other reasons must
// not hold the bench up.
const (
	quietEvery    = 2 * time.Millisecond
	quietFor      = 8 * time.Millisecond
	quietCPU      = 150 * time.Microsecond
	quietPatience = 20 * time.Second
)

// quiet waits until a process has nothing more to do. It tells when that
// began, and the CPU that the process has taken until now.
func quiet(ctx context.Context, pid int) (since time.Time, cpu time.Duration, err error) {
	tick := time.NewTicker(quietEvery)
	defer tick.Stop()
	since = time.Now()
	if cpu, err = proc.CPU(pid); err != nil {
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
		if cpu, err = proc.CPU(pid); err != nil {
			return since, cpu, err
		}
		switch {
		case cpu-base >= quietCPU:
			since, base = now, cpu
		case now.Sub(since) >= quietFor:
			return since, cpu, nil
		}
	}
	return since, cpu, nil
}
