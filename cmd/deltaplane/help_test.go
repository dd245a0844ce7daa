package main

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func TestEachCommandHasAnExampleAndEachFlagAText(t *testing.T) {
	root := (&terminal{}).rootCommand()
	var visit func(*cobra.Command)
	visit = func(c *cobra.Command) {
		if c.Short == "" || !strings.Contains(c.Example, "deltaplane") {
			t.Errorf("%s lacks a short text or an example", c.CommandPath())
		}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s --%s lacks a text", c.CommandPath(), f.Name)
			}
		})
		for _, child := range c.Commands() {
			visit(child)
		}
	}
	visit(root)
	for _, name := range []string{"serve", "apply", "delete", "patch", "get", "diff", "validate", "history", "show", "revert", "rollback",
		"blame", "shape", "status", "resync", "bootstrap", "demo", "bench", "version"} {
		if c, _, err := root.Find([]string{name}); err != nil || c.Name() != name {
			t.Errorf("no command %s", name)
		}
	}
}

func TestExamplesParse(t *testing.T) {
	root := (&terminal{}).rootCommand()
	for _, c := range root.Commands() {
		for line := range strings.Lines(c.Example) {
			_, call, ok := strings.Cut(line, "deltaplane ")
			if !ok || strings.ContainsAny(call, "'\"<>") {
				continue
			}
			child, args, err := root.Find(strings.Fields(call))
			if err != nil || child != c && child.Parent() != c {
				t.Errorf("example %q is of %v: %v", line, child.Name(), err)
				continue
			}
			if err := child.ParseFlags(args); err != nil {
				t.Errorf("example %q: %v", line, err)
			}
			if err := child.ValidateArgs(child.Flags().Args()); err != nil {
				t.Errorf("example %q: %v", line, err)
			}
		}
	}
}
