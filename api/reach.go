package api

import (
	"slices"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/resource/deltaplanev1"
)

// countProxies adds to each step that changes something how many connected
// proxies receive its namespace, or are in the fleet that it changes, and to
// the plan how much is stored there. Whom a new fleet will select is not known.
// Cost: a walk of the namespaces concerned.
func (s *Server) countProxies(p *Plan) {
	byFleet := map[string]int{}
	for _, proxy := range s.cfg.Proxies.Proxies() {
		if proxy.Connected {
			byFleet[proxy.Fleet]++
		}
	}
	reach := map[string]int{}
	for fleet, count := range byFleet {
		for _, namespace := range namespacesOf(s.cfg.Store.Latest(), fleet) {
			reach[namespace] += count
		}
	}
	concerned := map[string]bool{}
	for i := range p.Steps {
		switch step := &p.Steps[i]; {
		case step.Action == deltaplane.Unchanged:
		case step.Namespace != "":
			count := reach[step.Namespace]
			step.Proxies = &count
			concerned[step.Namespace] = true
		case step.Action != deltaplane.Added:
			count := byFleet[step.Name]
			step.Proxies = &count
		}
	}
	for namespace := range concerned {
		for _, e := range s.cfg.Store.Latest().Tree().Prefix(deltaplane.NamespacePrefix(namespace)) {
			p.Total += e.Resource.Size()
		}
	}
}

// namespacesOf lists what a fleet's proxies receive, each namespace once.
func namespacesOf(snapshot *deltaplane.Snapshot, fleet string) []string {
	if fleet == "" {
		return []string{deltaplane.DefaultNamespace}
	}
	e, ok := snapshot.Get(deltaplane.Key{Type: resource.Fleet, Name: fleet})
	if !ok {
		return nil
	}
	message, err := e.Resource.Message()
	if err != nil {
		return nil
	}
	namespaces := slices.Clone(message.(*deltaplanev1.Fleet).GetNamespaces())
	slices.Sort(namespaces)
	return slices.Compact(namespaces)
}
