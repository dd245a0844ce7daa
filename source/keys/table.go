package keys

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/source"
)

// value is what a key holds. The last good state of a broken one is what the
// store has of it: names says what that is, as far as this process has seen.
type value struct {
	docs     []resource.Document
	problems resource.Problems // with any that is not a warning, docs must not be used
	names    []deltaplane.Key  // of the last docs that could be used
}

func (v *value) broken() bool {
	return slices.ContainsFunc(v.problems, func(p resource.Problem) bool { return !p.Warning })
}

// table is what is known of the keys below a prefix.
type table struct {
	namespace string
	decoder   resource.Decoder

	revision int64 // at which it was read; 0: never
	values   map[string]*value
	lost     map[deltaplane.Key]bool // what keys no longer have, and the store may
	changed  []string                // keys since the last commit, for its message
}

func newTable(namespace string, d resource.Decoder) *table {
	return &table{namespace: namespace, decoder: d, values: map[string]*value{}, lost: map[deltaplane.Key]bool{}}
}

// take follows a reading.
//
// What keys lose while another key breaks may have moved there: it is left
// until nothing is broken.
func (t *table) take(r *reading) {
	var lost []deltaplane.Key
	broke := false
	for _, kv := range r.puts {
		key := string(kv.Key)
		docs, problems := decode(t.decoder, key, kv.Value)
		old := t.values[key]
		if old == nil {
			old = &value{}
		}
		now := &value{docs: docs, problems: problems, names: old.names}
		if now.broken() {
			now.docs, broke = nil, true
		} else {
			now.names = t.names(docs)
			lost = append(lost, old.names...)
		}
		t.values[key] = now
		t.changed = append(t.changed, key)
	}
	for key, v := range t.values {
		if r.present != nil && !r.present[key] {
			lost = append(lost, v.names...)
			delete(t.values, key)
			t.changed = append(t.changed, key+" (removed)")
		}
	}
	if !broke {
		for _, k := range lost {
			t.lost[k] = true
		}
	}
	t.revision = r.revision
}

// names are the store's keys of the documents.
func (t *table) names(docs []resource.Document) []deltaplane.Key {
	names := make([]deltaplane.Key, len(docs))
	for i, d := range docs {
		names[i] = deltaplane.KeyIn(t.namespace, d.Resource.Type(), d.Resource.Name())
	}
	return names
}

// committed forgets what the commit of input has settled.
func (t *table) committed() {
	clear(t.lost)
	t.changed = nil
}

// input is what the keys want of the store. Keys that are broken, or that
// have the same resource as another one, want nothing, and what the store has
// of them is kept.
func (t *table) input() source.Input {
	in := source.Input{Inputs: len(t.values), Message: t.message()}
	claims := map[deltaplane.Key][]string{}
	keys := slices.Sorted(maps.Keys(t.values))
	for _, key := range keys {
		if v := t.values[key]; !v.broken() {
			for _, name := range v.names {
				claims[name] = append(claims[name], key)
			}
		}
	}
	for _, key := range keys {
		v := t.values[key]
		twice := t.twice(key, v, claims)
		for _, p := range append(slices.Clone(v.problems), twice...) {
			if p.Warning {
				in.Warnings = append(in.Warnings, p)
			} else {
				in.Problems = append(in.Problems, p)
			}
		}
		if !v.broken() && twice == nil {
			in.Documents = append(in.Documents, v.docs...)
		}
	}
	if in.Problems != nil {
		in.Keep = t.keep(claims)
	}
	return in
}

// twice tells which resources of a key another key has, too.
func (t *table) twice(key string, v *value, claims map[deltaplane.Key][]string) resource.Problems {
	if v.broken() {
		return nil
	}
	var problems resource.Problems
	for i, name := range v.names {
		others := claims[name]
		if len(others) < 2 {
			continue
		}
		other := others[0]
		if other == key {
			other = others[1]
		}
		problems = append(problems, resource.Problem{File: key, Line: v.docs[i].Line, Type: name.Type.Short(), Name: name.Name,
			Message: fmt.Sprintf("stands in %s, too: remove it from one of them", other)})
	}
	return problems
}

// keep tells what a prune leaves alone while keys are broken: everything but
// what is known to have been lost.
func (t *table) keep(claims map[deltaplane.Key][]string) func(deltaplane.Key) bool {
	lost := maps.Clone(t.lost)
	return func(k deltaplane.Key) bool {
		if claims[k] != nil {
			return true
		}
		if k.Type == resource.VirtualHost && !lost[k] {
			// A host inside a route configuration goes with that.
			if route, _, ok := resource.HostOf(k.Name); ok {
				k = deltaplane.Key{Namespace: k.Namespace, Type: resource.Route, Name: route}
			}
		}
		return !lost[k]
	}
}

// message names the first keys that changed.
func (t *table) message() string {
	const most = 5
	if more := len(t.changed) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(t.changed[:most], ", "), more)
	}
	return strings.Join(t.changed, ", ")
}
