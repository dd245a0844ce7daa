package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/deltaplane/deltaplane/api"
	"github.com/deltaplane/deltaplane/resource"
)

func (t *terminal) validateCommand() *cobra.Command {
	var decoder resource.Decoder
	cmd := &cobra.Command{
		Use:   "validate -f FILE|DIR|-",
		Short: "Check what apply would check, without a server",
		Long: `Check what apply would check, without a server: syntax, field names and types,
Envoy's own constraints, duplicate names, and references inside the input. It
lists what only a server or a proxy can tell.`,
		Example: `  deltaplane validate -f gateway.yaml
  deltaplane validate -f conf.d/`,
		Args: cobra.NoArgs,
	}
	files := inputFlags(cmd)
	decoderFlags(cmd, &decoder)
	cmd.RunE = action(func(*cobra.Command, []string) error {
		input, err := t.readInput(*files)
		if err != nil {
			return err
		}
		return t.validate(decoder, input)
	})
	return cmd
}

// decoderFlags adds the flags that say how strictly inputs are read; serve has
// the same.
func decoderFlags(cmd *cobra.Command, d *resource.Decoder) {
	f := cmd.Flags()
	f.IntVar(&d.MaxResourceBytes, "max-resource-bytes", 4<<20, "largest resource, in bytes of its canonical form")
	f.BoolVar(&d.AllowOpaqueTypes, "allow-opaque-types", false, "keep Any values of types that this build does not know, unchecked")
	f.BoolVar(&d.AllowUnknown, "allow-unknown", false, "keep fields that this build does not know, unchecked")
}

func (t *terminal) validate(decoder resource.Decoder, input []inputFile) error {
	var docs []resource.Document
	var problems resource.Problems
	for _, f := range input {
		some, wrong := decoder.Decode(f.name, f.data)
		docs, problems = append(docs, some...), append(problems, wrong...)
	}
	validation, err := api.Validate(docs)
	if twice, ok := errors.AsType[resource.Problems](err); ok {
		problems = append(problems, twice...)
	}
	errs := t.printProblems(append(problems, validation.Warnings...))
	if errs > 0 {
		return fmt.Errorf("%s in %s", count(errs, "error", "errors"), count(len(input), "file", "files"))
	}
	fmt.Fprintf(t.out, "%s: valid\n", count(validation.Resources, "resource", "resources"))
	for _, table := range validation.Tables {
		how := "as written"
		if table.Parts > 0 {
			how = fmt.Sprintf("in %s where Envoys can take them", count(table.Parts, "part", "parts"))
		}
		fmt.Fprintf(t.out, "Route %s: %s, goes out%s %s; a changed route costs each about %v\n", table.Name, count(table.Routes, "route", "routes"), table.To(), how, table.Cost.Parts.Round(100*time.Microsecond))
	}
	if len(validation.Unknown) > 0 {
		fmt.Fprintln(t.out, "Not known without a server:")
		for _, u := range validation.Unknown {
			fmt.Fprintln(t.out, "  "+u)
		}
	}
	return nil
}

// printProblems prints one line each and returns how many are errors.
func (t *terminal) printProblems(problems resource.Problems) (errs int) {
	for _, p := range problems {
		if p.Warning {
			fmt.Fprintf(t.err, "%s %s\n", t.paint(yellow, t.err, "warning:"), p)
			continue
		}
		errs++
		fmt.Fprintf(t.err, "%s %s\n", t.paint(red, t.err, "error:"), p)
	}
	return errs
}
