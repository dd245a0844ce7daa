package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/deltaplane/deltaplane/api"
)

func (t *terminal) diffCommand() *cobra.Command {
	var namespace, owner, output string
	var prune bool
	cmd := &cobra.Command{
		Use:   "diff {-f FILE|DIR|- | V1 V2}",
		Short: "Show what applying a file would change, or what changed between two versions",
		Long: `Show what applying a file would change, or what changed between two versions.
Two spellings of the same configuration do not differ. The exit code is 1 when
there is a difference.`,
		Example: `  deltaplane diff -f routes.yaml
  deltaplane diff 41 42`,
		Args: cobra.MaximumNArgs(2),
	}
	files, c := inputFlags(cmd), clientFlags(cmd)
	cmd.Flags().StringVarP(&namespace, "namespace", "n", "", "of the file (default default), or only this one of the versions (default all)")
	cmd.Flags().StringVar(&owner, "owner", "cli", "whose resources --prune is about")
	cmd.Flags().BoolVar(&prune, "prune", false, "show as removed what the owner has in the namespace and the file lacks")
	cmd.Flags().StringVarP(&output, "output", "o", "", "json: the answer as the API gives it")
	cmd.RunE = action(func(cmd *cobra.Command, args []string) error {
		var req request
		switch {
		case len(*files) > 0 && len(args) == 0:
			input, err := t.readInput(*files)
			if err != nil {
				return err
			}
			body, contentType, err := upload(input)
			if err != nil {
				return err
			}
			req = request{method: http.MethodPost, path: []string{"diff"}, body: body, contentType: contentType,
				query: map[string]string{"namespace": namespace, "owner": owner, "prune": set(prune)}}
		case len(*files) == 0 && len(args) == 2:
			req = request{method: http.MethodGet, path: []string{"versions", args[0], "diff", args[1]}, query: map[string]string{"namespace": namespace}}
		default:
			return usageError{"expected either -f FILE or two versions"}
		}
		return t.diff(cmd.Context(), c, req, output)
	})
	return cmd
}

func (t *terminal) diff(ctx context.Context, c *client, req request, output string) error {
	var plan api.Plan
	if err := c.call(ctx, req, &plan); err != nil {
		return err
	}
	switch output {
	case "":
		t.printDiff(&plan)
	case "json":
		if err := t.printJSON(plan); err != nil {
			return err
		}
	default:
		return usageError{fmt.Sprintf("-o %s: diff prints text, or json", output)}
	}
	if plan.Counts.Added+plan.Counts.Changed+plan.Counts.Removed > 0 {
		return errDiffer
	}
	return nil
}

func (t *terminal) printDiff(p *api.Plan) {
	t.printSteps(p)
	for _, w := range p.Warnings {
		fmt.Fprintf(t.out, "%s %s\n", t.paint(yellow, t.out, "!"), visible(w.String()))
	}
	if p.Counts.Added+p.Counts.Changed+p.Counts.Removed == 0 {
		fmt.Fprintln(t.out, "No difference.")
		return
	}
	bytes, proxies := 0, 0
	for _, s := range p.Steps {
		bytes += s.Bytes
		if s.Proxies != nil {
			proxies = max(proxies, *s.Proxies)
		}
	}
	fmt.Fprintf(t.out, "Plan: %d add, %d change, %d remove · %s · about %s each (all of it: %s)\n",
		p.Counts.Added, p.Counts.Changed, p.Counts.Removed, count(proxies, "proxy", "proxies"), bytesText(bytes), bytesText(p.Total))
}
