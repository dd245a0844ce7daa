package main

import (
	"net/http"

	"github.com/spf13/cobra"
)

func (t *terminal) patchCommand() *cobra.Command {
	var inline string
	cmd := &cobra.Command{
		Use:   "patch TYPE NAME {-p PATCH | -f FILE|-}",
		Short: "Change a part of a resource",
		Long: `Change a part of a resource, by one operation in YAML or JSON, or a list of
them, all or none:

  route: {name: r1, match: …, route: …}   # of a VirtualHost: replaces that route, or is added;
                                          # with before, after or replace: NAME or INDEX, there
  remove_route: NAME or INDEX
  endpoint: {address: "10.0.0.1:80", weight: 3, health: DRAINING}   # of an Endpoint
  remove_endpoint: "10.0.0.1:80"
  merge: {connect_timeout: 2s, type: null}                          # of any resource

A virtual host is addressed as <route configuration>/<host>, and costs as much
as that host, however large the route configuration is.`,
		Example: `  deltaplane patch cluster pay -p 'merge: {connect_timeout: 0.25s}'
  deltaplane patch virtualhost edge/shop -p 'route: {name: cart, match: {prefix: /cart}, route: {cluster: cart-v2}}'
  deltaplane patch endpoint pay -p 'remove_endpoint: "10.0.0.1:80"'`,
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: completeType,
	}
	files, c := inputFlags(cmd), changeFlags(cmd)
	cmd.Flags().StringVarP(&inline, "patch", "p", "", "the patch itself")
	cmd.RunE = action(func(cmd *cobra.Command, args []string) error {
		input := []inputFile{{"<patch>", []byte(inline)}}
		switch {
		case inline != "" && len(*files) == 0:
		case inline == "" && len(*files) == 1:
			var err error
			if input, err = t.readInput(*files); err != nil {
				return err
			}
		default:
			return usageError{"expected either -p PATCH or one -f FILE"}
		}
		body, contentType, err := upload(input)
		if err != nil {
			return err
		}
		return t.commit(cmd.Context(), c, request{method: http.MethodPost, path: []string{"patch", args[0], args[1]},
			query: c.query(nil), body: body, contentType: contentType})
	})
	return cmd
}
