package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/deltaplane/deltaplane/bench"
	"github.com/deltaplane/deltaplane/bench/load"
)

// fleetFlags are the flags of bench for a fleet of simulated proxies.
func fleetFlags(f *pflag.FlagSet, cfg *load.Config) {
	f.IntVar(&cfg.Proxies, "proxies", 0, "simulate that many proxies instead of running Envoys")
	f.IntVar(&cfg.Resources, "resources", 10000, "that all --proxies have: clusters with endpoints, and of each hundred a listener and a table of 100 routes")
	f.StringVar(&cfg.Rivals, "rivals", "", "with --proxies, the program that serves as the other sides to --compare (default: deltaplane-rivals beside this program; make rivals builds it)")
	f.IntVar(&cfg.Repetitions, "repetitions", 1, "with --proxies, how often all is measured, the sides in turns")
}

// benchFleet measures with simulated proxies. What both forms of bench know
// comes from theirs, if it was given.
func (t *terminal) benchFleet(cmd *cobra.Command, o *benchOptions, envoys bench.Config, cfg load.Config) error {
	given := cmd.Flags().Changed
	if o.output != "table" && o.output != "json" {
		return usageError{fmt.Sprintf("-o %s: simulated proxies have table and json", o.output)}
	}
	if given("changes") {
		cfg.Changes = envoys.Changes
	}
	var err error
	if cfg.Command, err = os.Executable(); err != nil {
		return err
	}
	if beside := filepath.Join(filepath.Dir(cfg.Command), "deltaplane-rivals"); cfg.Rivals == "" && isFile(beside) {
		cfg.Rivals = beside
	}
	board := &board{terminal: t, tty: isTTY(t.err)}
	cfg.Progress = func(p load.Progress) {
		board.show(bench.Progress{Step: p.Step, Shape: bench.Shape(p.Side), Done: p.Done, Total: p.Total})
	}
	cfg.Version = version
	if o.table != "" {
		err = t.benchArticle(cmd, o, envoys.Routes, cfg, board)
	} else {
		err = t.benchSides(cmd, o, cfg, board)
	}
	if errors.Is(err, load.ErrConfig) {
		return usageError{err.Error()}
	}
	if cmd.Context().Err() != nil {
		return errors.New("interrupted")
	}
	return err
}

// benchSides compares what --compare names.
func (t *terminal) benchSides(cmd *cobra.Command, o *benchOptions, cfg load.Config, board *board) error {
	given := cmd.Flags().Changed
	if given("pattern") {
		cfg.Pattern = o.pattern
	}
	if given("compare") {
		for name := range strings.SplitSeq(o.compare, ",") {
			cfg.Sides = append(cfg.Sides, load.Kind(strings.TrimSpace(name)))
		}
	}
	report, err := load.Run(cmd.Context(), cfg)
	board.wipe()
	if err != nil {
		return err
	}
	if o.output == "json" {
		return t.printJSON(report)
	}
	report.Print(t.out)
	return nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
