package main

import (
	"net/http"

	"github.com/spf13/cobra"

	"github.com/deltaplane/deltaplane/api"
)

func (t *terminal) resyncCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "resync NODE",
		Short: "Send what an Envoy refused again, although it has not changed",
		Long: `Send what an Envoy refused again, although it has not changed. Nothing that was
refused is repeated by itself: it would be refused again. This is for when the
reason was on Envoy's side, such as a missing file.`,
		Example: "  deltaplane resync edge-7",
		Args:    cobra.ExactArgs(1),
	}
	c := clientFlags(cmd)
	cmd.RunE = action(func(cmd *cobra.Command, args []string) error {
		var p api.Proxy
		if err := c.call(cmd.Context(), request{method: http.MethodPost, path: []string{"resync", args[0]}}, &p); err != nil {
			return err
		}
		t.printNode(p)
		return nil
	})
	return cmd
}
