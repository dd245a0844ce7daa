package api

import (
	"cmp"
	"slices"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
)

// Plan is the JSON of what a change did, or with DryRun would do.
type Plan struct {
	Base     deltaplane.Version `json:"base"`    // the version that it was made on
	Version  deltaplane.Version `json:"version"` // after it; Base when nothing changed
	DryRun   bool               `json:"dry_run,omitempty"`
	Counts   Counts             `json:"counts"`
	Steps    []Step             `json:"steps"` // by namespace, type and name
	Warnings resource.Problems  `json:"warnings,omitempty"`
	Total    int                `json:"total_bytes,omitempty"` // of diff: all that is stored in the namespaces concerned
	Acks     *Acks              `json:"acks,omitempty"`        // of ?wait
}

// Counts are the steps of a plan by action.
type Counts struct {
	Added     int `json:"added"`
	Changed   int `json:"changed"`
	Unchanged int `json:"unchanged"`
	Removed   int `json:"removed"`
}

// Step is what happens to one resource.
type Step struct {
	Namespace string            `json:"namespace"` // "" for fleets
	Type      string            `json:"type"`      // short name
	Name      string            `json:"name"`
	Action    deltaplane.Action `json:"action"`
	Bytes     int               `json:"bytes,omitempty"`   // of the new content
	Proxies   *int              `json:"proxies,omitempty"` // connected ones that receive the namespace
	Fields    []Field           `json:"fields,omitempty"`  // what changed, secrets masked
}

// Field is one difference inside a resource. Old is "" where the field was
// added, New where it was removed. Long values are cut, secrets masked.
type Field struct {
	Path string              `json:"path"` // virtual_hosts["pay"].routes[3].route.cluster
	Kind resource.ChangeKind `json:"kind"`
	Old  string              `json:"old,omitempty"`
	New  string              `json:"new,omitempty"`
}

// planOf turns a plan into JSON. Fields cost a parse of each changed resource.
func planOf(p *deltaplane.Plan, o deltaplane.Options, fields bool) *Plan {
	plan := &Plan{Base: p.Base, Version: p.Version, DryRun: o.DryRun, Steps: make([]Step, 0, len(p.Steps)), Warnings: p.Warnings}
	for _, from := range p.Steps {
		step := stepOf(from.Key, from.Action)
		if from.New != nil {
			step.Bytes = from.New.Size()
		}
		if fields && from.Action == deltaplane.Changed {
			step.Fields = fieldsOf(from.Old, from.New, "")
		}
		plan.add(step)
	}
	return plan
}

func stepOf(k deltaplane.Key, a deltaplane.Action) Step {
	return Step{Namespace: k.Namespace, Type: k.Type.Short(), Name: k.Name, Action: a}
}

func (p *Plan) add(s Step) {
	p.Steps = append(p.Steps, s)
	p.Counts.add(s.Action)
}

func (c *Counts) add(a deltaplane.Action) {
	switch a {
	case deltaplane.Added:
		c.Added++
	case deltaplane.Changed:
		c.Changed++
	case deltaplane.Unchanged:
		c.Unchanged++
	case deltaplane.Removed:
		c.Removed++
	}
}

func (p *Plan) sort() {
	slices.SortFunc(p.Steps, func(a, b Step) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Name, b.Name))
	})
}

// fieldsOf lists what differs between two states of one resource; prefix is
// put before the paths.
func fieldsOf(old, now *resource.Resource, prefix string) []Field {
	changes := resource.Diff(old, now)
	fields := make([]Field, len(changes))
	for i, c := range changes {
		fields[i] = Field{prefix + c.Path, c.Kind, c.Old, c.New}
	}
	return fields
}
