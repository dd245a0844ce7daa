package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	exitFine   = 0
	exitDiffer = 1 // a difference, an unhealthy proxy, or a failure
	exitUsage  = 2
)

// errDiffer ends a command with code 1 and without a message: the output has
// said it all.
var errDiffer = errors.New("there are differences")

// ran wraps an error of a command that was called correctly; all others are
// errors of usage.
type ran struct{ error }

func (r ran) Unwrap() error { return r.error }

// run executes one command line and returns its exit code.
func (t *terminal) run(ctx context.Context, args []string) int {
	root := t.rootCommand()
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	switch {
	case err == nil:
		return exitFine
	case errors.Is(err, errDiffer):
		return exitDiffer
	}
	if _, ok := errors.AsType[ran](err); ok {
		t.explain(err)
		return exitDiffer
	}
	fmt.Fprintf(t.err, "%s %v\n  %s\nSee %q.\n", t.paint(red, t.err, "usage:"), err, cmd.UseLine(), cmd.CommandPath()+" --help")
	return exitUsage
}

func (t *terminal) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "deltaplane",
		Short: "An xDS control plane that keeps a fleet of Envoy proxies configured",
		Long: `deltaplane keeps Envoy's configuration as versions, and streams to each
connected proxy exactly what changed.

Exit codes: 0 fine, 1 a difference, an unhealthy proxy or a failure, 2 wrong usage.`,
		Example: `  deltaplane serve
  deltaplane apply -f gateway.yaml --wait
  deltaplane status`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs, // what is no command is an error
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(t.in)
	root.SetOut(t.out)
	root.SetErr(t.err)
	root.AddGroup(&cobra.Group{ID: "change", Title: "Change configuration:"},
		&cobra.Group{ID: "look", Title: "Look at it:"}, &cobra.Group{ID: "run", Title: "Run:"})
	for _, group := range []struct {
		id       string
		commands []*cobra.Command
	}{
		{"run", []*cobra.Command{t.serveCommand(), t.bootstrapCommand(), t.demoCommand(), t.benchCommand()}},
		{"change", []*cobra.Command{t.applyCommand(), t.deleteCommand(), t.patchCommand(), t.importCommand(), t.revertCommand(), t.rollbackCommand(), t.resyncCommand()}},
		{"look", []*cobra.Command{t.getCommand(), t.diffCommand(), t.validateCommand(), t.historyCommand(), t.showCommand(),
			t.blameCommand(), t.shapeCommand(), t.statusCommand()}},
		{"", []*cobra.Command{t.versionCommand()}},
	} {
		for _, c := range group.commands {
			c.GroupID = group.id
			root.AddCommand(c)
		}
	}
	return root
}

// action adapts a command's work: what fails in it is not an error of usage.
func action(work func(cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := work(cmd, args)
		if err == nil {
			return nil
		}
		if _, usage := errors.AsType[usageError](err); usage {
			return err
		}
		return ran{err}
	}
}

// usageError is wrong usage that only the command itself can see.
type usageError struct{ message string }

func (u usageError) Error() string { return u.message }

func (t *terminal) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  deltaplane version",
		Args:    cobra.NoArgs,
		RunE: action(func(*cobra.Command, []string) error {
			fmt.Fprintln(t.out, "deltaplane "+strings.TrimPrefix(version, "v"))
			return nil
		}),
	}
}
