package main

import (
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/api"
)

func (t *terminal) blameCommand() *cobra.Command {
	var namespace, output string
	cmd := &cobra.Command{
		Use:               "blame TYPE NAME",
		Short:             "Show which commit last changed each part of a resource",
		Example:           "  deltaplane blame route edge",
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: completeType,
	}
	c := clientFlags(cmd)
	cmd.Flags().StringVarP(&namespace, "namespace", "n", deltaplane.DefaultNamespace, "where the resource lives")
	cmd.Flags().StringVarP(&output, "output", "o", "", "json: the answer as the API gives it")
	cmd.RunE = action(func(cmd *cobra.Command, args []string) error {
		var blame api.Blame
		err := c.call(cmd.Context(), request{method: http.MethodGet, path: []string{"blame", args[0], args[1]},
			query: map[string]string{"namespace": namespace}}, &blame)
		if err != nil {
			return err
		}
		if output == "json" {
			return t.printJSON(blame)
		}
		var tab table
		tab.row(texts("VERSION", "AGE", "AUTHOR", "PART", "MESSAGE")...)
		for _, line := range blame.Lines {
			part := line.Path
			if part == "" {
				part = "(itself)"
			}
			tab.row(texts(fmt.Sprint(line.Commit.Version), age(line.Commit.Time), dash(line.Commit.Author), part, firstLine(line.Commit.Message))...)
		}
		tab.print(t, t.out)
		return nil
	})
	return cmd
}
