package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/deltaplane/deltaplane/bench/probe"
	"github.com/deltaplane/deltaplane/bench/proc"
	"github.com/deltaplane/deltaplane/bench/relay"
	"github.com/deltaplane/deltaplane/internal/envoy"
)

// proxy is a real Envoy, and who probes it.
type proxy struct {
	node    string
	relay   *relay.Relay // on its way to the control plane; nil: none
	process *envoy.Process
	dir     string
	address string // of its listener

	probe  *probe.Prober // of the route that changes
	walker *probe.Prober // of all routes

	main    proc.Thread
	workers []proc.Thread

	started time.Duration // from its start to the first good answer
}

// origin is where an Envoy gets its configuration, and as a part of what.
type origin struct {
	xds     string // HOST:PORT
	cluster string
}

// startProxy runs an Envoy until it answers first, which leads to backend.
// Close what it returns even if there is an error.
func startProxy(ctx context.Context, cfg Config, at origin, node string, first probe.Target, backend string) (p *proxy, err error) {
	p = &proxy{node: node}
	if cfg.Relay {
		if p.relay, err = relay.Listen(ctx, at.xds); err != nil {
			return p, err
		}
		at.xds = p.relay.Address()
	}
	bootstrap, err := cfg.Bootstrap(at.xds, node, at.cluster)
	if err != nil {
		return p, err
	}
	if p.dir, err = os.MkdirTemp("", "deltaplane-bench-envoy-"); err != nil {
		return p, err
	}
	began := time.Now()
	p.process, err = envoy.Start(ctx, envoy.Config{Dir: p.dir, Bootstrap: bootstrap, Concurrency: cfg.Concurrency, LogLevel: "warning", ProfilePath: p.profilePath()})
	if err != nil {
		return p, err
	}
	if err := p.listen(ctx); err != nil {
		return p, err
	}
	conns := 1
	if cfg.Concurrency > 1 {
		conns = 2 * cfg.Concurrency // so that most workers have one
	}
	p.probe = probe.NewProber(p.address, cfg.labels(node+"-probe"), conns)
	p.walker = probe.NewProber(p.address, cfg.labels(node+"-walk"), 1)
	arrived := func(a probe.Answer) probe.Verdict {
		if a.Body == backend {
			return probe.New
		}
		return probe.Old
	}
	seen, err := p.probe.Watch(ctx, probe.Change{Target: first, Judge: arrived, Every: time.Millisecond}, func() {})
	if err != nil {
		return p, p.explain(err)
	}
	p.started = seen.FirstNew.Received.Sub(began)
	return p, p.findThreads(ctx, cfg.Concurrency)
}

// profilePath is where the Envoy's CPU profile goes, if it has a profiler.
func (p *proxy) profilePath() string { return filepath.Join(p.dir, "envoy.prof") }

// pollEvery is how often an Envoy that starts is asked for what it should have.
const pollEvery = 3 * time.Millisecond

// poll asks until the Envoy has what is asked for.
func (p *proxy) poll(ctx context.Context, what string, has func() (bool, error)) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		has, err := has()
		if has {
			return nil
		}
		select {
		case <-tick.C:
		case <-p.process.Done():
			return p.process.Stop()
		case <-ctx.Done():
			return p.explain(errors.Join(fmt.Errorf("%s: %w", what, context.Cause(ctx)), err))
		}
	}
}

// listen waits until the listener accepts.
func (p *proxy) listen(ctx context.Context) error {
	return p.poll(ctx, "the listener", func() (bool, error) {
		listeners, err := p.process.Listeners(ctx)
		p.address = listeners[tableName]
		if err != nil || p.address == "" {
			return false, err
		}
		_, port, err := net.SplitHostPort(p.address)
		n, _ := strconv.Atoi(port)
		return err == nil && n > 0, err
	})
}

// explain adds the end of Envoy's log to an error.
func (p *proxy) explain(err error) error {
	return fmt.Errorf("%w; Envoy's log ends with:\n%s", err, p.process.LogTail(5))
}

// findThreads waits until n workers bear their names, which Envoy's main thread
// gives them after it started them: on a busy machine they may answer before.
func (p *proxy) findThreads(ctx context.Context, n int) error {
	return p.poll(ctx, fmt.Sprintf("%d worker threads", n), func() (bool, error) {
		threads, err := proc.Threads(p.process.Pid())
		if err != nil {
			return false, err
		}
		p.main, p.workers = threads[0], slices.DeleteFunc(threads[1:], func(t proc.Thread) bool { return !strings.HasPrefix(t.Name, "wrk:") })
		return len(p.workers) >= n, nil
	})
}

// version is Envoy's own, like "1.40.0".
func (p *proxy) version(ctx context.Context) (string, error) {
	text, err := p.process.Get(ctx, "/server_info")
	if err != nil {
		return "", err
	}
	var info struct{ Version string }
	if err := json.Unmarshal(text, &info); err != nil {
		return "", fmt.Errorf("envoy admin /server_info: %w", err)
	}
	// <commit>/<version>/<state of the tree>/<build>/<TLS library>
	if parts := strings.Split(info.Version, "/"); len(parts) > 1 {
		return parts[1], nil
	}
	return info.Version, nil
}

// workerCPU is the time that all worker threads have run so far.
func (p *proxy) workerCPU() (time.Duration, error) {
	var sum time.Duration
	for _, w := range p.workers {
		cpu, err := w.CPU()
		if err != nil {
			return 0, err
		}
		sum += cpu
	}
	return sum, nil
}

// close ends the probes and the Envoy.
func (p *proxy) close() (err error) {
	if p.probe != nil {
		p.probe.Close()
		p.walker.Close()
	}
	if p.process != nil {
		err = p.process.Stop()
	}
	if p.relay != nil {
		err = errors.Join(err, p.relay.Close())
	}
	if p.dir != "" {
		err = errors.Join(err, os.RemoveAll(p.dir))
	}
	return err
}
