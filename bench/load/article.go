package load

import (
	"context"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/deltaplane/deltaplane/bench/report"
	"github.com/deltaplane/deltaplane/bench/swarm/fixture"
)

// What the article that the project started from reports of a thousand nodes
// under ten thousand routes, for full pushes and for streams with increments:
// until a change is live, in milliseconds, and the CPU that the latter saved.
const (
	articleFullMean, articleMean = 218, 32
	articleFullP99, articleP99   = 430, 47
	articleCPUSaved              = 0.38
)

// Article is the comparison of the article that the project started from, made
// again: full pushes (go-control-plane, state of the world, which sends all
// route configurations when one has changed) and ours, while single routes
// change. Times are from the call of the server's API, with all that it does to
// store the change, to the arrival at a node: of each change at each node.
type Article struct {
	Nodes  int        `json:"nodes"`
	Routes int        `json:"routes"`
	Full   ArticleRow `json:"full_push"`
	Ours   ArticleRow `json:"deltaplane"`

	Faster    float64 `json:"mean_ratio"`   // the mean of Full over that of Ours
	FasterP99 float64 `json:"p99_ratio"`    // likewise
	CPUSaved  float64 `json:"cpu_saved"`    // the part of Full's that Ours does without
	Met       bool    `json:"verdict_met"`  // all three are at least the article's
	Report    *Report `json:"measurements"` // all that was measured
}

// ArticleRow is one side of it.
type ArticleRow struct {
	Mean  float64 `json:"mean_ms"`
	P99   float64 `json:"p99_ms"`
	CPU   float64 `json:"server_cpu_ms_per_change"`
	Bytes float64 `json:"bytes_per_change"` // received by all nodes
}

// RunArticle measures with cfg, of which sides, resources and pattern are the
// article's. Routes is how many routes there are, in tables of
// fixture.RoutesPerTable.
func RunArticle(ctx context.Context, cfg Config, routes int) (*Article, error) {
	if routes < 1 {
		return nil, fmt.Errorf("%w: routes must be at least 1", ErrConfig)
	}
	cfg.Sides = []Kind{Snapshot, Deltaplane}
	cfg.NoStorm, cfg.Concerned, cfg.Rate = true, 0, 0
	cfg.Set, cfg.Pattern = fixture.WithRoutes(routes), fixture.Route.String()
	measured, err := Run(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return newArticle(cfg.Proxies, cfg.Set[fixture.Route]*fixture.RoutesPerTable, measured), nil
}

func newArticle(nodes, routes int, r *Report) *Article {
	a := &Article{Nodes: nodes, Routes: routes, Full: articleRow(r.Sides[0]), Ours: articleRow(r.Sides[1]), Report: r}
	a.Faster, a.FasterP99 = a.Full.Mean/a.Ours.Mean, a.Full.P99/a.Ours.P99
	a.CPUSaved = 1 - a.Ours.CPU/a.Full.CPU
	a.Met = a.Faster >= ratio(articleFullMean, articleMean) && a.FasterP99 >= ratio(articleFullP99, articleP99) && a.CPUSaved >= articleCPUSaved
	return a
}

func articleRow(s Side) ArticleRow {
	c := s.Changes
	return ArticleRow{Mean: c.Call.AnyMean, P99: c.Call.Any.P99, CPU: c.CPU.Median, Bytes: c.Bytes.Median}
}

func ratio(a, b float64) float64 { return a / b }

// Page is the comparison with the plots of all that was measured.
func (a *Article) Page() report.Page {
	page := a.Report.Page()
	table := report.Table{Head: []string{"", "mean, ms", "P99, ms", "server CPU per change, ms", "received per change, MB"}}
	cells := func(values ...float64) (texts []string) {
		for _, v := range values {
			texts = append(texts, report.Number(v))
		}
		return texts
	}
	for _, row := range []struct {
		name string
		ArticleRow
	}{{"full push", a.Full}, {"deltaplane", a.Ours}} {
		table.Rows = append(table.Rows, report.Row{Name: row.name, Cells: cells(row.Mean, row.P99, row.CPU, row.Bytes/1e6)})
	}
	table.Rows = append(table.Rows,
		report.Row{Name: "better by, times", Cells: cells(a.Faster, a.FasterP99, a.Full.CPU/a.Ours.CPU, a.Full.Bytes/a.Ours.Bytes)},
		report.Row{Name: "the article, times", Cells: append(cells(ratio(articleFullMean, articleMean), ratio(articleFullP99, articleP99), 1/(1-articleCPUSaved)), "")})
	page.Title = fmt.Sprintf("The article's comparison: one route of %s changes, at %s nodes", report.Round(float64(a.Routes)), report.Round(float64(a.Nodes)))
	page.Verdict = &report.Verdict{Met: a.Met, Text: "at least as much better than full pushes as the article says"}
	page.Sections = slices.Insert(page.Sections, 0, report.Section{Title: "Full pushes and deltaplane", Text: "From the call to the arrival at each node.", Tables: []report.Table{table}})
	return page
}

// Print writes the comparison as a table, with the verdict.
func (a *Article) Print(to io.Writer) {
	fmt.Fprintf(to, "%d nodes, %d routes; one route changes. From the call to its arrival at each node:\n\n", a.Nodes, a.Routes)
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\tmean\tP99\tserver CPU per change\treceived per change\t")
	for _, row := range []struct {
		name string
		ArticleRow
	}{{"full push", a.Full}, {"deltaplane", a.Ours}} {
		fmt.Fprintf(w, "%s\t%.1f ms\t%.1f ms\t%.1f ms\t%.1f MB\t\n", row.name, row.Mean, row.P99, row.CPU, row.Bytes/1e6)
	}
	fmt.Fprintf(w, "better by\t%.1f ×\t%.1f ×\t%.0f %%\t%.1f ×\t\n", a.Faster, a.FasterP99, 100*a.CPUSaved, a.Full.Bytes/a.Ours.Bytes)
	fmt.Fprintf(w, "the article\t%.1f ×\t%.1f ×\t%.0f %%\t\t\n", ratio(articleFullMean, articleMean), ratio(articleFullP99, articleP99), 100*articleCPUSaved)
	fmt.Fprintf(w, "it says\t%d → %d ms\t%d → %d ms\t\t\t\n", articleFullMean, articleMean, articleFullP99, articleP99)
	w.Flush()
	verdict := "met"
	if !a.Met {
		verdict = "missed"
	}
	fmt.Fprintf(to, "\nAt least as much better as the article says: %s\n", verdict)
}
