package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/deltaplane/deltaplane/bench"
	"github.com/deltaplane/deltaplane/bench/load"
)

// fleetFlags are the flags of bench for a fleet of simulated proxies.
func fleetFlags(f *pflag.FlagSet, cfg *load.Config) {
	f.IntVar(&cfg.Proxies, "proxies", 0, "simulate that many proxies instead of running Envoys; the options below are for this form")
	f.IntSliceVar(&cfg.Resources, "resources", []int{10000}, "that all proxies have: clusters with endpoints, and of each hundred a listener and a table of 100 routes; several numbers are compared")
	f.IntVar(&cfg.Repetitions, "repetitions", 1, "how often each side has its turn")
	f.DurationVar(&cfg.TurnLimit, "turn-limit", 0, "end the changes of a turn then, if not all are made (default: make all)")
	f.IntVar(&cfg.Concerned, "concerned", 0, "measure changes that concern so many of the proxies, too")
	f.BoolVar(&cfg.ByName, "names", false, "ask for endpoints and routes by name, as Envoys do, not by the wildcard")
	f.IntVar(&cfg.Extensions, "node-extensions", 0, "that each node lists (default: as an Envoy's; -1: none)")
	f.StringVar(&cfg.Rivals, "rivals", "", "program that serves as the other sides to --compare (default: deltaplane-rivals beside this program; make rivals builds it)")
}

// fleetOnly have a meaning only with --proxies or --table.
var fleetOnly = []string{"resources", "repetitions", "turn-limit", "concerned", "names", "node-extensions", "rivals"}

// fleetConfig completes cfg with what both forms of bench have: given tells
// what was said, as their defaults differ.
func fleetConfig(given func(flag string) bool, o *benchOptions, envoys bench.Config, cfg load.Config) (load.Config, error) {
	for _, other := range append([]string{"hosts", "shards", "envoys", "concurrency", "files", "probe-every", "plain", "otlp-endpoint", "relay", "load", "namespace", "tls-ca", "tls-cert", "tls-key", "tls-server-name"}, loadFlags...) {
		if given(other) {
			return cfg, usageError{fmt.Sprintf("--%s is for Envoys, not for simulated --proxies", other)}
		}
	}
	if err := o.checkOutput(); err != nil {
		return cfg, err
	}
	if given("pattern") {
		cfg.Pattern = o.pattern
	}
	if given("changes") {
		cfg.Changes = envoys.Changes
	}
	if given("rate") {
		cfg.Rate = envoys.Rate
	}
	cfg.Duration, cfg.SLA, cfg.Profile = envoys.Duration, envoys.SLA, envoys.Profile
	if o.compare != "" {
		for name := range strings.SplitSeq(o.compare, ",") {
			kind := load.Kind(strings.TrimSpace(name))
			if kind == "go-control-plane" {
				kind = load.Shared
			}
			cfg.Sides = append(cfg.Sides, kind)
		}
		if !slices.Contains(cfg.Sides, load.Deltaplane) { // it is what the others are compared with
			cfg.Sides = slices.Insert(cfg.Sides, 0, load.Deltaplane)
		}
	}
	cfg.Version = version
	err := o.server.check(given)
	if err != nil {
		return cfg, err
	}
	if given("server") {
		cfg.Server, cfg.XDS = o.server.api.server, o.server.xds
		if cfg.Transport, err = o.server.transport(); err != nil {
			return cfg, err
		}
	}
	if cfg.Command, err = os.Executable(); err != nil {
		return cfg, err
	}
	if beside := filepath.Join(filepath.Dir(cfg.Command), "deltaplane-rivals"); cfg.Rivals == "" && isFile(beside) {
		cfg.Rivals = beside
	}
	return cfg, nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// benchFleet measures with simulated proxies.
func (t *terminal) benchFleet(cmd *cobra.Command, o *benchOptions, envoys bench.Config, cfg load.Config) error {
	cfg, err := fleetConfig(cmd.Flags().Changed, o, envoys, cfg)
	if err != nil {
		return err
	}
	if o.table == "" && cmd.Flags().Changed("routes") {
		return usageError{"--routes is for Envoys and --table article; simulated proxies have --resources"}
	}
	board := newBoard(t)
	cfg.CommandLine = commandLine(os.Args)
	cfg.Progress = func(p load.Progress) {
		board.show(moment{side: p.Side, step: p.Step, done: p.Done, total: p.Total, of: "last proxy", p50: p.P50, p99: p.P99})
	}
	if o.table != "" {
		err = t.benchArticle(cmd, o, envoys.Routes, cfg, board)
	} else {
		err = t.benchSides(cmd, o, cfg, board)
	}
	switch {
	case errors.Is(err, load.ErrConfig):
		return usageError{err.Error()}
	case cmd.Context().Err() != nil:
		return errors.New("interrupted")
	}
	return err
}

// benchSides compares what --compare names.
func (t *terminal) benchSides(cmd *cobra.Command, o *benchOptions, cfg load.Config, board *board) error {
	began := time.Now()
	report, err := load.Run(cmd.Context(), cfg)
	board.wipe()
	if err != nil {
		return err
	}
	err = t.printReport(*o, report)
	if o.output == "table" {
		fmt.Fprintf(t.out, "measured in %s\n", time.Since(began).Round(time.Second))
	}
	if err == nil && !report.SLA.Met {
		err = errDiffer
	}
	return err
}
