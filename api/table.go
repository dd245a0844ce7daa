package api

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/resource/deltaplanev1"
	"github.com/deltaplane/deltaplane/shape"
)

// Table is a large route configuration of an input by itself.
type Table struct {
	Name   string     `json:"name"`
	Fleets []string   `json:"fleets,omitempty"` // of the input, to which it goes out so if they receive it; none: to all
	Routes int        `json:"routes"`
	Parts  int        `json:"parts"` // in which it goes out to Envoys that can take them; 0: as written
	Whole  string     `json:"whole,omitempty"`
	Cost   shape.Cost `json:"cost"`
}

// warnFrom is from how many routes on it is a warning that a table goes out as
// written: a changed route costs an Envoy some milliseconds then.
const warnFrom = 1000

// tableInput is what an input has of route configurations.
type tableInput struct {
	shells map[string]*resource.Resource
	hosts  map[string][]*resource.Resource // by route configuration
	said   map[string]*deltaplanev1.ShapeOptions
	fleets []*deltaplanev1.Fleet
}

func tablesIn(docs []resource.Document) tableInput {
	in := tableInput{shells: map[string]*resource.Resource{}, hosts: map[string][]*resource.Resource{}, said: map[string]*deltaplanev1.ShapeOptions{}}
	for _, d := range docs {
		switch r := d.Resource; r.Type() {
		case resource.VirtualHost:
			route, _, _ := resource.HostOf(r.Name())
			in.hosts[route] = append(in.hosts[route], r)
		case resource.Route:
			if shell, inside, err := r.SplitHosts(); err == nil {
				in.shells[r.Name()] = shell
				in.hosts[r.Name()] = append(in.hosts[r.Name()], inside...)
			}
		case resource.Shape, resource.Fleet:
			switch m, _ := r.Message(); m := m.(type) {
			case *deltaplanev1.Shape:
				in.said[r.Name()] = m.Options()
			case *deltaplanev1.Fleet:
				in.fleets = append(in.fleets, m)
			}
		}
	}
	return in
}

// shapes tells how the large route configurations among docs go out.
// Cost: O(docs), and some passes over each that is large, for each thing that
// fleets say.
func (v *Validation) shapes(docs []resource.Document) {
	in := tablesIn(docs)
	splits := map[string]*shape.Split{}
	for _, d := range docs {
		shell := in.shells[d.Resource.Name()]
		if d.Resource.Type() != resource.Route || shell == nil {
			continue
		}
		inside := slices.Values(in.hosts[shell.Name()])
		routes := 0
		for h := range inside {
			routes += shape.Routes(h)
		}
		if routes < shape.Threshold {
			continue
		}
		for _, w := range wantsOf(in.said[shell.Name()], in.fleets) {
			split, _ := shape.New(shell, inside, w.options)
			if splits[shell.Name()] == nil || len(split.Leaves) > 0 {
				splits[shell.Name()] = split
			}
			e := split.Explain(shell, inside)
			if w.off != "" {
				e.Whole = w.off
			}
			t := Table{Name: shell.Name(), Fleets: w.fleets, Routes: routes, Whole: e.Whole, Cost: shape.CostOf(e)}
			if e.Whole == "" {
				t.Parts = len(e.Shards)
			} else if routes >= warnFrom {
				v.warn(d, fmt.Sprintf("has %d routes and goes out as written%s: %s; a changed route costs each Envoy about %v", routes, t.To(), e.Whole, t.Cost.Whole.Round(time.Millisecond)))
			}
			v.Tables = append(v.Tables, t)
		}
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

// wants is how a table is wished to go out.
type wants struct {
	options shape.Options
	off     string   // why as written; "" if not
	fleets  []string // to which
}

// wantsOf is what a table's Shape says, else what each fleet does, once for
// those that say the same.
func wantsOf(said *deltaplanev1.ShapeOptions, fleets []*deltaplanev1.Fleet) (all []wants) {
	if said != nil || len(fleets) == 0 {
		w := wants{}
		var off bool
		if w.options, off = shape.OptionsOf(said); off {
			w.off = "its Shape says so"
		}
		return []wants{w}
	}
	for _, fleet := range fleets {
		w := wants{}
		var off bool
		if w.options, off = shape.OptionsOf(fleet.Shape); off {
			w.off = "its fleet says so"
		}
		i := slices.IndexFunc(all, func(other wants) bool { return other.off == w.off && (off || other.options == w.options) })
		if i < 0 {
			all, i = append(all, w), len(all)
		}
		all[i].fleets = append(all[i].fleets, fleet.Name)
	}
	return all
}

// To is " to fleets a, b", and nothing if it is to all.
func (t Table) To() string {
	switch len(t.Fleets) {
	case 0:
		return ""
	case 1:
		return " to fleet " + t.Fleets[0]
	}
	return " to fleets " + strings.Join(t.Fleets, ", ")
}

func (v *Validation) warn(d resource.Document, message string) {
	p := problemAt(d, message)
	p.Warning = true
	v.Warnings = append(v.Warnings, p)
}
