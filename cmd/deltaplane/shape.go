package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/api"
)

func (t *terminal) shapeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "shape",
		Short:   "Show how large route configurations go out in parts",
		Example: "  deltaplane shape explain gateway",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(t.shapeExplainCommand())
	return cmd
}

func (t *terminal) shapeExplainCommand() *cobra.Command {
	var namespace, fleet, host, path, output string
	cmd := &cobra.Command{
		Use:   "explain NAME",
		Short: "Show the parts of a route configuration, and why it has none",
		Long: `Show how a route configuration goes out to Envoys that can take it in parts: what
it is split by, its parts, what stands in all of them, which listeners lead
there, and about what a changed route costs an Envoy. With --host, and --path,
it tells which part serves a request. Each fleet has the parts that it asks for:
--fleet says for which it is told.`,
		Example: `  deltaplane shape explain gateway
  deltaplane shape explain gateway --host shop.example.com --path /cart`,
		Args: cobra.ExactArgs(1),
	}
	c := clientFlags(cmd)
	f := cmd.Flags()
	f.StringVarP(&namespace, "namespace", "n", deltaplane.DefaultNamespace, "where the route configuration lives")
	f.StringVar(&fleet, "fleet", "", "whose proxies are meant; without it the fleet of the highest priority that receives the table")
	f.StringVar(&host, "host", "", "authority of a request")
	f.StringVar(&path, "path", "/", "path of a request, with --host")
	f.StringVarP(&output, "output", "o", "", "json: the answer as the API gives it")
	cmd.RunE = action(func(cmd *cobra.Command, args []string) error {
		query := map[string]string{"namespace": namespace}
		if fleet != "" {
			query["fleet"] = fleet
		}
		if cmd.Flags().Changed("host") {
			query["host"], query["path"] = host, path
		}
		var answer api.Shape
		if err := c.call(cmd.Context(), request{method: http.MethodGet, path: []string{"shapes", args[0]}, query: query}, &answer); err != nil {
			return err
		}
		if output == "json" {
			return t.printJSON(answer)
		}
		t.printShape(answer)
		return nil
	})
	return cmd
}

// printFleetShape shows what a fleet has of a table. meant: the rest is told
// for it.
func (t *terminal) printFleetShape(f deltaplane.FleetShape, meant bool) {
	has := "it as written"
	if f.Parts > 0 {
		has = fmt.Sprintf("%s, as it asks for %d by %s with duplication %.4g", count(f.Parts, "part", "parts"), f.Shards, f.By, f.Duplication)
	}
	if f.Retired > 0 {
		has += fmt.Sprintf(", and %d that drain", f.Retired)
	}
	if meant {
		has += "; this is what follows"
	}
	fmt.Fprintf(t.out, "fleet %s has %s\n", visible(f.Fleet), has)
}

// printShape shows a table's shape to people.
func (t *terminal) printShape(s api.Shape) {
	fmt.Fprintf(t.out, "%s: %s in %s\n", s.Table, count(s.Routes, "route", "routes"), count(s.Hosts, "virtual host", "virtual hosts"))
	for _, f := range s.Fleets {
		t.printFleetShape(f, f.Fleet == s.Fleet)
	}
	if s.Whole != "" {
		fmt.Fprintf(t.out, "goes out as written: %s\na changed route costs each Envoy about %v\n", s.Whole, s.Cost.Whole.Round(100*time.Microsecond))
		return
	}
	fmt.Fprintf(t.out, "split by %s into %s of %d to %d routes (median %d); %.2f times its routes in all\n",
		s.By, count(len(s.Shards), "part", "parts"), s.PerShard.Min, s.PerShard.Max, s.PerShard.Median, s.Duplication)
	fmt.Fprintf(t.out, "a changed route costs each Envoy about %v, as written %v\n",
		s.Cost.Parts.Round(100*time.Microsecond), s.Cost.Whole.Round(100*time.Microsecond))
	if n := s.HostsEverywhere; n.Count > 0 {
		fmt.Fprintf(t.out, "in every part: %s: %s\n", count(n.Count, "virtual host", "virtual hosts"), strings.Join(n.Names, ", "))
	}
	if n := s.RoutesEverywhere; n.Count > 0 {
		fmt.Fprintf(t.out, "in every range of paths: %s: %s\n", count(n.Count, "route", "routes"), strings.Join(n.Names, ", "))
	}
	if s.Retired > 0 {
		fmt.Fprintf(t.out, "%s of earlier splits for connections that drain\n", count(s.Retired, "part", "parts"))
	}
	for _, use := range s.Uses {
		if use.Left == "" {
			fmt.Fprintf(t.out, "listener %s, %s, leads there\n", use.Listener, use.Where)
		} else {
			fmt.Fprintf(t.out, "listener %s, %s, has the table as written: %s\n", use.Listener, use.Where, use.Left)
		}
	}
	var tab table
	tab.row(texts("PART", "FROM HOST", "FROM PATH", "HOSTS", "ROUTES")...)
	for _, shard := range s.Shards {
		if s.Found == nil || s.Found.ID == shard.ID {
			tab.row(texts(strconv.Itoa(int(shard.ID)), dash(shard.HostFrom), dash(shard.PathFrom), strconv.Itoa(shard.Hosts), strconv.Itoa(shard.Routes))...)
		}
	}
	fmt.Fprintln(t.out)
	tab.print(t, t.out)
}
