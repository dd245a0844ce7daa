package main

import (
	"errors"

	"github.com/spf13/cobra"
)

func (t *terminal) demoCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "demo",
		Short:   "Run a real Envoy under 10,000 routes that flip",
		Example: "  deltaplane demo --once",
		Args:    cobra.NoArgs,
		RunE:    action(func(*cobra.Command, []string) error { return errors.New("not built in yet") }),
	}
}
