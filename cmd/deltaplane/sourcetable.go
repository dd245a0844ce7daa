package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/deltaplane/deltaplane/api"
	"github.com/deltaplane/deltaplane/source"
)

var sourceColours = map[source.State]colour{
	source.InSync: green, source.Starting: grey, source.Waiting: yellow, source.Broken: red, source.Conflict: red,
	source.Shrink: red, source.Overridden: yellow, source.Unavailable: red,
}

// maxToldProblems is how many problems of one source status prints.
const maxToldProblems = 10

// printSources prints how each watched source stands; nothing without any.
func (t *terminal) printSources(sources []source.Status) {
	if len(sources) == 0 {
		return
	}
	var tab table
	tab.row(texts("SOURCE", "NAMESPACE", "STATE", "SINCE", "VERSION", "IN SYNC", "RESOURCES")...)
	for _, s := range sources {
		row := texts(s.String(), s.Namespace, string(s.State), age(s.Since), versionText(s.Version), age(s.Applied), fmt.Sprint(s.Resources))
		row[2].colour = sourceColours[s.State]
		tab.row(row...)
	}
	tab.print(t, t.out)
	for _, s := range sources {
		t.printHindrances(s)
	}
}

// printHindrances prints why a source is not in sync.
func (t *terminal) printHindrances(s source.Status) {
	for i, p := range s.Problems {
		if i == maxToldProblems {
			fmt.Fprintf(t.out, "  and %d more: /v1/sources has them\n", len(s.Problems)-i)
			return
		}
		fmt.Fprintf(t.out, "%s %s\n", t.paint(sourceColours[s.State], t.out, "!"), visible(p.String()))
	}
}

// printSourceEvents prints which sources have another state than before, a
// line each.
func (t *terminal) printSourceEvents(at string, before, now *api.Status) {
	earlier := map[source.Identity]source.Status{}
	if before != nil {
		for _, s := range before.Sources {
			earlier[s.Identity] = s
		}
	}
	for _, s := range now.Sources {
		if old, known := earlier[s.Identity]; !known || old.State != s.State || old.Version != s.Version {
			fmt.Fprintf(t.out, "%s %s %s version %d\n", at, visible(s.String()), s.State, s.Version)
			t.printHindrances(s)
		}
	}
}

// longWait is how long a source may be waiting to come to rest, before
// somebody should look who keeps a file open.
const longWait = time.Minute

// unhealthy reports whether somebody has to look at any of the sources.
func unhealthy(sources []source.Status) bool {
	return slices.ContainsFunc(sources, func(s source.Status) bool {
		return !s.State.Healthy() || s.State == source.Waiting && time.Since(s.Since) > longWait
	})
}
