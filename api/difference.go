package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
)

// diffFile tells what applying the body would change, field by field. It
// looks at content alone: ownership and the guard against shrinking matter
// only to who applies.
func (s *Server) diffFile(w http.ResponseWriter, r *http.Request) error {
	q := &query{values: r.URL.Query()}
	o, prune := q.options(r), q.flag("prune")
	if q.err != nil {
		return q.err
	}
	docs, warnings, err := s.documents(r)
	if err != nil {
		return err
	}
	o.DryRun, o.TakeOwnership, o.AllowShrink = true, true, true
	done, err := s.cfg.Store.Apply(r.Context(), docs, prune, o)
	if err != nil {
		return err
	}
	plan := planOf(withWarnings(done, warnings), o, true)
	s.countProxies(plan)
	writeJSON(w, http.StatusOK, plan)
	return nil
}

// diffVersions tells what turns one version into another.
func (s *Server) diffVersions(w http.ResponseWriter, r *http.Request) error {
	q := &query{values: r.URL.Query()}
	namespace := q.text("namespace", "")
	if q.err != nil {
		return q.err
	}
	a, err := pathVersion(r, "version")
	if err != nil {
		return err
	}
	b, err := pathVersion(r, "to")
	if err != nil {
		return err
	}
	from, err := s.at(r.Context(), a)
	if err != nil {
		return err
	}
	to, err := s.at(r.Context(), b)
	if err != nil {
		return err
	}
	prefix := ""
	if namespace != "" {
		prefix = deltaplane.NamespacePrefix(namespace)
	}
	plan := differenceOf(from, to, prefix)
	s.countProxies(plan)
	writeJSON(w, http.StatusOK, plan)
	return nil
}

// at is the store as it was at v; version 0 is the empty store.
func (s *Server) at(ctx context.Context, v deltaplane.Version) (*deltaplane.Snapshot, error) {
	latest := s.cfg.Store.Latest()
	switch v {
	case latest.Version():
		return latest, nil
	case 0:
		return deltaplane.NewSnapshot(0, latest.Time(), radix.Tree[*deltaplane.Entry]{}), nil
	}
	return s.cfg.Store.At(ctx, v)
}

// differenceOf is what turns a into b, under one prefix of paths.
// Cost: a walk of what differs, and a parse of each changed part.
func differenceOf(a, b *deltaplane.Snapshot, prefix string) *Plan {
	plan := &Plan{Base: a.Version(), Version: b.Version(), Steps: []Step{}}
	routes := map[deltaplane.Key]*Step{} // with inline hosts that differ
	for c := range radix.DiffPrefix(a.Tree(), b.Tree(), prefix) {
		if c.HasOld && c.HasNew && c.Old.Resource.Digest() == c.New.Resource.Digest() && c.Old.Owner == c.New.Owner && c.Old.Inline == c.New.Inline {
			continue // only how the table is split
		}
		k := deltaplane.KeyOf(c.Key)
		part, path := inlineHost(k, c)
		if part {
			k.Type, k.Name = resource.Route, strings.TrimSuffix(k.Name, "/"+path)
		}
		if k.Type != resource.Route {
			if step, differs := partStep(k, c, ""); differs {
				plan.add(step)
			}
			continue
		}
		step := routes[k]
		if step == nil {
			first := stepOf(k, deltaplane.Changed)
			step, routes[k] = &first, &first
		}
		addPart(step, c, path)
	}
	for k, step := range routes {
		if e, ok := b.Get(k); ok {
			step.Bytes = describe(b, k, e).Bytes // what goes to proxies is the whole of it
		}
		plan.add(*step)
	}
	plan.sort()
	return plan
}

type entryChange = radix.Change[*deltaplane.Entry]

// inlineHost tells whether a change is of a host that stands inside its route
// configuration, and the host's short name.
func inlineHost(k deltaplane.Key, c entryChange) (bool, string) {
	inline := c.HasOld && c.Old.Inline || c.HasNew && c.New.Inline
	if k.Type != resource.VirtualHost || !inline {
		return false, ""
	}
	_, host, ok := resource.HostOf(k.Name)
	return ok, host
}

// addPart adds the change of a shell (host "") or of an inline host to its
// route configuration's step.
func addPart(step *Step, c entryChange, host string) {
	if host == "" {
		switch {
		case !c.HasOld:
			step.Action = deltaplane.Added
		case !c.HasNew:
			step.Action = deltaplane.Removed
		default:
			step.Fields = append(step.Fields, fieldsOf(c.Old.Resource, c.New.Resource, "")...)
		}
		return
	}
	path := fmt.Sprintf("virtual_hosts[%q]", host)
	switch {
	case !c.HasOld:
		step.Fields = append(step.Fields, Field{Path: path, Kind: resource.FieldAdded})
	case !c.HasNew:
		step.Fields = append(step.Fields, Field{Path: path, Kind: resource.FieldRemoved})
	default:
		step.Fields = append(step.Fields, fieldsOf(c.Old.Resource, c.New.Resource, path+".")...)
	}
}

// partStep is the step of a resource that is stored as one entry. An entry
// whose content is the same differs in its owner alone: no step.
func partStep(k deltaplane.Key, c entryChange, prefix string) (Step, bool) {
	step := stepOf(k, deltaplane.Changed)
	switch {
	case !c.HasOld:
		step.Action = deltaplane.Added
	case !c.HasNew:
		step.Action = deltaplane.Removed
	case c.Old.Resource.Digest() == c.New.Resource.Digest():
		return step, false
	default:
		step.Fields = fieldsOf(c.Old.Resource, c.New.Resource, prefix)
	}
	if c.HasNew {
		step.Bytes = c.New.Resource.Size()
	}
	return step, true
}
