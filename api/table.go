package api

import (
	"fmt"
	"slices"
	"time"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/resource/deltaplanev1"
	"github.com/deltaplane/deltaplane/shape"
)

// Table is a large route configuration of an input by itself.
type Table struct {
	Name   string     `json:"name"`
	Routes int        `json:"routes"`
	Parts  int        `json:"parts"` // in which it goes out to Envoys that can take them; 0: as written
	Whole  string     `json:"whole,omitempty"`
	Cost   shape.Cost `json:"cost"`
}

// warnFrom is from how many routes on it is a warning that a table goes out as
// written: a changed route costs an Envoy some milliseconds then.
const warnFrom = 1000

// shapes tells how the large route configurations among docs go out.
// Cost: O(docs), and some passes over each that is large.
func (v *Validation) shapes(docs []resource.Document) {
	hosts := map[string][]*resource.Resource{}
	off := map[string]bool{}
	shells := map[string]*resource.Resource{}
	for _, d := range docs {
		switch r := d.Resource; r.Type() {
		case resource.VirtualHost:
			route, _, _ := resource.HostOf(r.Name())
			hosts[route] = append(hosts[route], r)
		case resource.Route:
			if shell, inside, err := r.SplitHosts(); err == nil {
				shells[r.Name()] = shell
				hosts[r.Name()] = append(hosts[r.Name()], inside...)
			}
		case resource.Shape:
			if m, err := r.Message(); err == nil {
				if said, ok := m.(*deltaplanev1.Shape); ok {
					_, off[r.Name()] = shape.OptionsOf(said.Options())
				}
			}
		}
	}
	splits := map[string]*shape.Split{}
	for _, d := range docs {
		shell := shells[d.Resource.Name()]
		if d.Resource.Type() != resource.Route || shell == nil {
			continue
		}
		inside := slices.Values(hosts[shell.Name()])
		routes := 0
		for h := range inside {
			routes += shape.Routes(h)
		}
		if routes < shape.Threshold {
			continue
		}
		split, _ := shape.New(shell, inside, shape.Defaults())
		splits[shell.Name()] = split
		e := split.Explain(shell, inside)
		if off[shell.Name()] {
			e.Whole = "its Shape says so"
		}
		t := Table{Name: shell.Name(), Routes: routes, Whole: e.Whole, Cost: shape.CostOf(e)}
		if e.Whole == "" {
			t.Parts = len(e.Shards)
		} else if routes >= warnFrom {
			v.warn(d, fmt.Sprintf("has %d routes and goes out as written: %s; a changed route costs each Envoy about %v", routes, e.Whole, t.Cost.Whole.Round(time.Millisecond)))
		}
		v.Tables = append(v.Tables, t)
	}
	for _, d := range docs {
		if d.Resource.Type() != resource.Listener {
			continue
		}
		_, uses := shape.Listener(d.Resource, func(table string) *shape.Split { return splits[table] })
		for _, use := range uses {
			if use.Left != "" {
				v.warn(d, fmt.Sprintf("%s has the large route configuration %s as written: %s", use.Where, use.Table, use.Left))
			}
		}
	}
}

func (v *Validation) warn(d resource.Document, message string) {
	p := problemAt(d, message)
	p.Warning = true
	v.Warnings = append(v.Warnings, p)
}
