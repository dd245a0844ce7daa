package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/deltaplane/deltaplane/bench/load"
)

// The article had a thousand nodes. A full push to them takes seconds, so few
// changes are made, each of which counts a thousand times.
const (
	articleNodes   = 1000
	articleChanges = 10
)

// benchArticle makes the article's comparison again.
func (t *terminal) benchArticle(cmd *cobra.Command, o *benchOptions, routes int, cfg load.Config, board *board) error {
	given := cmd.Flags().Changed
	if o.table != "article" {
		return usageError{fmt.Sprintf("--table %s: there is article", o.table)}
	}
	if given("compare") || given("pattern") || given("resources") {
		return usageError{"--table article has its own sides, pattern and resources; --proxies, --routes, --changes and --repetitions are yours"}
	}
	if !given("proxies") {
		cfg.Proxies = articleNodes
	}
	if !given("changes") {
		cfg.Changes = articleChanges
	}
	a, err := load.RunArticle(cmd.Context(), cfg, routes)
	board.wipe()
	if err != nil {
		return err
	}
	if err = t.printReport(*o, a); err == nil && !a.Met {
		return errDiffer
	}
	return err
}
