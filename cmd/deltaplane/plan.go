package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/api"
)

// printedSteps bounds how many steps of a plan are printed; -o json has all.
const printedSteps = 200

var signs = map[deltaplane.Action]cell{
	deltaplane.Added:   {"+", green},
	deltaplane.Changed: {"~", yellow},
	deltaplane.Removed: {"-", red},
}

// printPlan prints what a change did, or would do: the steps that change
// something, the warnings, and one line that sums it up.
func (t *terminal) printPlan(p *api.Plan) {
	t.printSteps(p)
	for _, w := range p.Warnings {
		fmt.Fprintf(t.out, "%s %s\n", t.paint(yellow, t.out, "!"), visible(w.String()))
	}
	var sum []string
	for _, part := range []struct {
		count int
		what  string
	}{{p.Counts.Added, "added"}, {p.Counts.Changed, "changed"}, {p.Counts.Removed, "removed"}, {p.Counts.Unchanged, "unchanged"}} {
		if part.count > 0 {
			sum = append(sum, fmt.Sprintf("%d %s", part.count, part.what))
		}
	}
	if sum == nil {
		sum = []string{"nothing to change"}
	}
	end := fmt.Sprintf("version %d", p.Version)
	switch {
	case p.DryRun:
		end = fmt.Sprintf("dry run, nothing is stored (version %d)", p.Version)
	case p.Version == p.Base:
		end = fmt.Sprintf("version stays %d", p.Version)
	}
	fmt.Fprintf(t.out, "%s → %s\n", strings.Join(sum, ", "), end)
	switch {
	case p.Acks == nil:
	case p.Acks.Waited == 0:
		fmt.Fprintln(t.out, "acknowledged by nobody: no Envoy is connected")
	default:
		fmt.Fprintf(t.out, "acknowledged by %s\n", count(p.Acks.Waited, "proxy", "proxies"))
	}
}

// printSteps prints the steps that change something, with their fields.
func (t *terminal) printSteps(p *api.Plan) {
	printed := 0
	for _, s := range p.Steps {
		if s.Action == deltaplane.Unchanged {
			continue
		}
		if printed++; printed > printedSteps {
			continue
		}
		t.printStep(s)
	}
	if printed > printedSteps {
		fmt.Fprintf(t.out, "… and %d more; -o json has them all\n", printed-printedSteps)
	}
}

func (t *terminal) printStep(s api.Step) {
	sign := signs[s.Action]
	line := fmt.Sprintf("%-24s %s", visible(s.Type+"/"+s.Name), s.Namespace)
	if s.Proxies != nil {
		line += fmt.Sprintf(" (%s)", count(*s.Proxies, "proxy", "proxies"))
	}
	fmt.Fprintln(t.out, t.paint(sign.colour, t.out, sign.text), strings.TrimRight(line, " "))
	for _, f := range s.Fields {
		t.printField(f)
	}
}

// printField prints "path: old → new", or + and - where one side is missing.
func (t *terminal) printField(f api.Field) {
	f = api.Field{Path: visible(f.Path), Kind: f.Kind, Old: visible(f.Old), New: visible(f.New)}
	switch {
	case f.Old == "":
		fmt.Fprintf(t.out, "    %s %s: %s\n", t.paint(green, t.out, "+"), f.Path, f.New)
	case f.New == "":
		fmt.Fprintf(t.out, "    %s %s: %s\n", t.paint(red, t.out, "-"), f.Path, f.Old)
	default:
		fmt.Fprintf(t.out, "    %s: %s → %s\n", f.Path, durationText(f.Old), durationText(f.New))
	}
}

// secondsPattern is a duration as protobuf writes it in JSON.
var secondsPattern = regexp.MustCompile(`^\d+(\.\d+)?s$`)

// durationText shows a duration such as 0.25s as people write it, 250ms.
func durationText(value string) string {
	if !secondsPattern.MatchString(value) {
		return value
	}
	d, err := time.ParseDuration(value)
	if err != nil {
		return value
	}
	return d.String()
}

// printMissing is the table of who has not acknowledged, and why.
func (t *terminal) printMissing(acks api.Acks) {
	if len(acks.Missing) == 0 {
		return
	}
	var tab table
	tab.row(texts("NODE", "TYPE", "STATE", "REASON")...)
	for _, p := range acks.Missing {
		if !p.Connected {
			tab.row(cell{text: p.Node}, cell{}, cell{"disconnected", grey}, cell{text: "for " + age(p.Since)})
		}
		for _, pt := range p.Types {
			if !p.Connected || pt.State == api.InSync {
				continue
			}
			reason := fmt.Sprintf("holds version %d", pt.Held)
			if pt.Refusal != nil {
				reason = firstLine(pt.Refusal.Reason)
			}
			tab.row(cell{text: p.Node}, cell{text: pt.Type}, cell{string(pt.State), stateColours[pt.State]}, cell{text: reason})
		}
	}
	tab.print(t, t.err)
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// bytesText is a size for people, in units of 1,000.
func bytesText(n int) string {
	switch {
	case n < 1_000:
		return fmt.Sprintf("%d B", n)
	case n < 1_000_000:
		return fmt.Sprintf("%.1f KB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
