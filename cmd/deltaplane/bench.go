package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/deltaplane/deltaplane/bench"
	"github.com/deltaplane/deltaplane/bench/load"
	"github.com/deltaplane/deltaplane/bench/report"
	"github.com/deltaplane/deltaplane/internal/telemetry"
)

// benchOptions are the flags of bench that are not fields of its Config.
type benchOptions struct {
	pattern, compare, table, output, html string
	plain                                 bool
	probeEvery                            time.Duration
	load                                  loadOptions
	server                                serverOptions
}

func (t *terminal) benchCommand() *cobra.Command {
	var cfg bench.Config
	var fleet load.Config
	var o benchOptions
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure the way from a change to real requests",
		Long: `Run a control plane, real Envoys under a large route table, and small backends;
make one change after the other through the API, and measure how long each takes
until it is stored, acknowledged, and in use by requests, and what it costs.

Patterns: route (a route goes to another cluster), endpoint (an endpoint moves),
cluster (a cluster is replaced by one with a new name), listener (new
connections are served differently), weight (a route's weights are swapped).

Sides to --compare: plain (the table as it is written), split (as deltaplane
serves large tables by default), scoped (scoped routes written by hand, one
for each host). Their changes alternate, and one alone is probed at a time.

Exit code 1 when --sla is missed: at P99, from before the commit to the answer of
the first request under the new configuration; of several sides, on the last.

With --load the changes are made under a load of requests instead of single
probes: 10000 POST requests by 200 workers unless --requests, --workers and
--rate say otherwise, --protocol http or grpc, with --method, --body, --header,
--tls to the backends and --timeout; each is labelled, and the report tells each
hop of changes and requests. Patterns are then route, weight and cluster.

With --server and --xds a control plane is measured that runs already, and may
serve others: what the bench needs there stands in a --namespace of its own,
which must be empty, and is removed at the end. --ca and --token-file are for
its API, --tls-ca and so on for its xDS.

With --proxies a fleet is simulated instead: the time from a change to the last
proxy, and what starts, changes and storms of reconnects cost the control plane.
Patterns are then cluster, endpoint, route, listener and mixed, and the sides to
compare deltaplane, which always is one, with floor, floor-tuned, tcp, linear,
delta (or go-control-plane), delta-per-node and snapshot, which "make rivals"
builds. --rate is of changes, and --sla limits the time from the call to the
last proxy.`,
		Example: `  deltaplane bench
  deltaplane bench --pattern endpoint --routes 10000 --hosts 1000 --envoys 4
  deltaplane bench --profile profiles
  deltaplane bench --compare plain,split --changes 300 --html report.html
  deltaplane bench --load --protocol grpc --tls --requests 10000 --workers 200
  deltaplane bench --server http://cp.internal:18001 --xds cp.internal:18000
  deltaplane bench --table article
  deltaplane bench --proxies 1000 --resources 10000 --compare deltaplane,floor`,
		Args: cobra.NoArgs,
	}
	benchFlags(cmd.Flags(), &cfg, &o)
	o.load.flags(cmd.Flags())
	o.server.flags(cmd.Flags())
	fleetFlags(cmd.Flags(), &fleet)
	cmd.RunE = action(func(cmd *cobra.Command, _ []string) error {
		if cmd.Flags().Changed("proxies") || o.table != "" {
			return t.benchFleet(cmd, &o, cfg, fleet)
		}
		return t.benchEnvoys(cmd, &o, cfg)
	})
	return cmd
}

// benchEnvoys measures with real Envoys.
func (t *terminal) benchEnvoys(cmd *cobra.Command, o *benchOptions, cfg bench.Config) error {
	given := cmd.Flags().Changed
	for _, flag := range fleetOnly {
		if given(flag) {
			return usageError{fmt.Sprintf("--%s is for simulated proxies: say how many with --proxies", flag)}
		}
	}
	if err := o.complete(&cfg); err != nil {
		return err
	}
	if err := o.load.complete(&cfg, given); err != nil {
		return err
	}
	if err := o.server.complete(&cfg, given); err != nil {
		return err
	}
	board := newBoard(t)
	cfg.Progress, cfg.Version = board.envoys, version
	cfg.CommandLine = commandLine(os.Args)
	report, err := bench.Run(cmd.Context(), cfg)
	board.wipe()
	switch {
	case errors.Is(err, bench.ErrLeft):
		return err
	case errors.Is(err, bench.ErrConfig):
		return usageError{err.Error()}
	case cmd.Context().Err() != nil:
		return errors.New("interrupted")
	case err != nil:
		return err
	}
	return t.printBench(report, *o)
}

func benchFlags(f *pflag.FlagSet, cfg *bench.Config, o *benchOptions) {
	f.StringVar(&o.pattern, "pattern", "route", "what changes: route, endpoint, cluster, listener or weight")
	f.IntVar(&cfg.Routes, "routes", 10000, "of the table")
	f.IntVar(&cfg.Hosts, "hosts", 1000, "virtual hosts that the routes are in")
	f.IntVar(&cfg.Shards, "shards", 0, "parts of a split table (default: what deltaplane takes)")
	f.IntVar(&cfg.Envoys, "envoys", 1, "how many, of each side")
	f.IntVar(&cfg.Concurrency, "concurrency", 1, "worker threads of each Envoy")
	f.IntVar(&cfg.Changes, "changes", 100, "how many, on each side")
	f.DurationVar(&cfg.Duration, "duration", 0, "end the changes then, if not all are made (default: make all)")
	f.IntVar(&cfg.Files, "files", 3, "how often the whole file is applied, too; -1: never")
	f.IntVar(&cfg.Rate, "rate", 100, "requests per second to all routes, all the while")
	f.DurationVar(&o.probeEvery, "probe-every", 300*time.Microsecond, "from probe to probe while a change is outstanding")
	f.DurationVar(&cfg.SLA, "sla", 50*time.Millisecond, "what the P99 must not exceed")
	f.StringVar(&cfg.Profile, "profile", "", "write profiles of the control planes to this directory, and name the top functions; the figures are then of a profiled one")
	f.StringVar(&cfg.Traces, "otlp-endpoint", "", "URL of a receiver of traces (OTLP over HTTP): one for each change, from the call of the API to the first request (default: OTEL_EXPORTER_OTLP_ENDPOINT)")
	f.BoolVar(&cfg.Relay, "relay", false, "stand between each Envoy and its control plane, to date what arrives there and Envoy's acknowledgements; what that adds is reported")
	f.BoolVar(&o.plain, "plain", false, "serve the table as it is written: --compare plain")
	f.StringVar(&o.compare, "compare", "", "sides of the same run: of plain, split and scoped")
	f.StringVar(&o.table, "table", "", "make a known comparison again: article (full pushes against deltaplane, 1000 simulated proxies, 10000 routes)")
	f.StringVarP(&o.output, "output", "o", "table", "table, json or html")
	f.StringVar(&o.html, "html", "", "also write the report to this file, as a page with plots")
}

func (o *benchOptions) checkOutput() error {
	if !slices.Contains([]string{"table", "json", "html"}, o.output) {
		return usageError{fmt.Sprintf("-o %s: expected table, json or html", o.output)}
	}
	return nil
}

// complete puts the options into cfg. What it leaves unchecked, bench checks.
func (o *benchOptions) complete(cfg *bench.Config) (err error) {
	if err := o.checkOutput(); err != nil {
		return err
	}
	if o.plain && o.compare != "" {
		return usageError{"--plain is --compare plain: give one of them"}
	}
	if min(cfg.Routes, cfg.Hosts, cfg.Envoys, cfg.Concurrency, cfg.Changes, cfg.Rate) < 1 {
		return usageError{"--routes, --hosts, --envoys, --concurrency, --changes and --rate must be at least 1"}
	}
	if cfg.SLA <= 0 || o.probeEvery <= 0 {
		return usageError{"--sla and --probe-every must be more than 0"}
	}
	if cfg.Files == 0 {
		cfg.Files = -1
	}
	cfg.Pattern, cfg.ProbeEvery = bench.Pattern(o.pattern), o.probeEvery
	if o.plain {
		cfg.Shapes = []bench.Shape{bench.Plain}
	}
	if o.compare != "" {
		for name := range strings.SplitSeq(o.compare, ",") {
			cfg.Shapes = append(cfg.Shapes, bench.Shape(strings.TrimSpace(name)))
		}
	}
	if cfg.Traces, err = (telemetry.Config{Endpoint: cfg.Traces}).HTTPEndpoint(); err != nil {
		return usageError{err.Error()}
	}
	cfg.Command, err = os.Executable()
	return err
}

// benchReport is what a bench has measured: its JSON, tables, or a page.
type benchReport interface {
	Print(to io.Writer)
	Page() report.Page
}

func (t *terminal) printBench(r *bench.Report, o benchOptions) error {
	err := t.printReport(o, r)
	if err == nil && !r.SLA.Met {
		return errDiffer
	}
	return err
}

// printReport prints a report as it was asked for.
func (t *terminal) printReport(o benchOptions, r benchReport) (err error) {
	switch o.output {
	case "json":
		err = t.printJSON(r)
	case "html":
		err = r.Page().Write(t.out)
	default:
		r.Print(t.out)
	}
	if o.html != "" {
		err = errors.Join(err, writePage(o.html, r.Page()))
	}
	return err
}

// writePage writes a report into a file.
func writePage(path string, page report.Page) error {
	var text bytes.Buffer
	if err := page.Write(&text); err != nil {
		return fmt.Errorf("--html: %w", err)
	}
	if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
		return fmt.Errorf("--html: %w", err)
	}
	return nil
}

// commandLine is what was called, as a shell takes it.
func commandLine(args []string) string {
	words := []string{"deltaplane"}
	for _, arg := range args[1:] {
		if strings.ContainsFunc(arg, func(r rune) bool { return !strings.ContainsRune(plainInShell, r) }) || arg == "" {
			arg = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
		words = append(words, arg)
	}
	return strings.Join(words, " ")
}

// plainInShell is what a shell takes as it is.
const plainInShell = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=.,:/@%+"
