package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/deltaplane/deltaplane/resource"
)

// completeType offers resource types as the first argument.
func completeType(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	types := append([]resource.Type{resource.Fleet, resource.Shape}, resource.Served()...)
	names := make([]string, len(types))
	for i, kind := range types {
		names[i] = strings.ToLower(kind.Short())
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
