package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deltaplane/deltaplane/api"
)

func (t *terminal) historyCommand() *cobra.Command {
	var limit, before uint64
	var output string
	cmd := &cobra.Command{
		Use:     "history",
		Short:   "List commits, newest first",
		Example: "  deltaplane history --limit 5",
		Args:    cobra.NoArgs,
	}
	c := clientFlags(cmd)
	cmd.Flags().Uint64Var(&limit, "limit", 20, "how many, at most 10000")
	cmd.Flags().Uint64Var(&before, "before", 0, "start with the one before this version")
	cmd.Flags().StringVarP(&output, "output", "o", "", "json: the answer as the API gives it")
	cmd.RunE = action(func(cmd *cobra.Command, _ []string) error {
		query := map[string]string{"limit": strconv.FormatUint(limit, 10)}
		if before > 0 {
			query["before"] = strconv.FormatUint(before, 10)
		}
		var page api.Versions
		if err := c.call(cmd.Context(), request{method: http.MethodGet, path: []string{"versions"}, query: query}, &page); err != nil {
			return err
		}
		if output == "json" {
			return t.printJSON(page)
		}
		t.printHistory(page)
		return nil
	})
	return cmd
}

func (t *terminal) printHistory(page api.Versions) {
	var tab table
	tab.row(texts("VERSION", "AGE", "AUTHOR", "CHANGES", "MESSAGE")...)
	for _, c := range page.Versions {
		tab.row(texts(fmt.Sprint(c.Version), age(c.Time), dash(c.Author), changesText(c.Counts), firstLine(c.Message))...)
	}
	tab.print(t, t.out)
	if page.Next > 0 {
		fmt.Fprintf(t.out, "older ones: deltaplane history --before %d\n", page.Next)
	}
}

// changesText is "+2 ~1 -3", without zeros.
func changesText(c api.Counts) string {
	var parts []string
	for _, part := range []struct {
		sign  string
		count int
	}{{"+", c.Added}, {"~", c.Changed}, {"-", c.Removed}} {
		if part.count > 0 {
			parts = append(parts, part.sign+strconv.Itoa(part.count))
		}
	}
	return dash(strings.Join(parts, " "))
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

func (t *terminal) showCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:     "show VERSION",
		Short:   "Show one commit and what it changed",
		Example: "  deltaplane show 42",
		Args:    cobra.ExactArgs(1),
	}
	c := clientFlags(cmd)
	cmd.Flags().StringVarP(&output, "output", "o", "", "json: the commit as the API gives it")
	cmd.RunE = action(func(cmd *cobra.Command, args []string) error {
		var commit api.Commit
		if err := c.call(cmd.Context(), request{method: http.MethodGet, path: []string{"versions", args[0]}}, &commit); err != nil {
			return err
		}
		if output == "json" {
			return t.printJSON(commit)
		}
		return t.show(cmd.Context(), c, commit)
	})
	return cmd
}

func (t *terminal) show(ctx context.Context, c *client, commit api.Commit) error {
	fmt.Fprintf(t.out, "version %d  parent %d  %s (%s ago)\n", commit.Version, commit.Parent, commit.Time.Format("2006-01-02 15:04:05 MST"), age(commit.Time))
	fmt.Fprintf(t.out, "author  %s\n", visible(dash(commit.Author)))
	if commit.Message != "" {
		fmt.Fprintf(t.out, "\n    %s\n", strings.ReplaceAll(visible(commit.Message), "\n", "\n    "))
	}
	fmt.Fprintln(t.out)
	var plan api.Plan
	err := c.call(ctx, request{method: http.MethodGet,
		path: []string{"versions", fmt.Sprint(commit.Parent), "diff", fmt.Sprint(commit.Version)}}, &plan)
	if failure, ok := errors.AsType[*serverError](err); ok && failure.Code == "version_gone" {
		// The parent's content is gone; the commit's own record remains.
		for _, change := range commit.Changes {
			t.printStep(api.Step{Namespace: change.Namespace, Type: change.Type, Name: change.Name, Action: change.Action})
		}
		return nil
	}
	if err != nil {
		return err
	}
	for i := range plan.Steps {
		plan.Steps[i].Proxies = nil // today's, not that day's
	}
	t.printSteps(&plan)
	return nil
}
