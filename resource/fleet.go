package resource

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/deltaplane/deltaplane/resource/deltaplanev1"
)

// checkFleet says what is wrong with a fleet besides its name.
func checkFleet(f *deltaplanev1.Fleet) (faults []fault) {
	if len(f.Selectors) == 0 {
		faults = append(faults, fault{"selectors", "needs at least one: an empty one, {}, selects every node"})
	}
	if len(f.Namespaces) == 0 {
		faults = append(faults, fault{"namespaces", "needs at least one: the nodes would receive nothing"})
	}
	seen := map[string]bool{}
	for i, n := range f.Namespaces {
		at := fmt.Sprintf("namespaces[%d]", i)
		switch {
		case n == "":
			faults = append(faults, fault{at, "must not be empty"})
		case len(n) > maxName || strings.ContainsFunc(n, unicode.IsControl):
			faults = append(faults, fault{at, fmt.Sprintf("is no namespace: expected at most %d bytes without control characters", maxName)})
		case seen[n]:
			faults = append(faults, fault{at, fmt.Sprintf("%q stands twice", n)})
		}
		seen[n] = true
	}
	for i, s := range f.Selectors {
		at := fmt.Sprintf("selectors[%d].", i)
		faults = append(faults, checkGlobs(at+"node_ids", s.NodeIds)...)
		faults = append(faults, checkGlobs(at+"clusters", s.Clusters)...)
		if _, ok := s.Metadata[""]; ok {
			faults = append(faults, fault{at + "metadata", "has an empty key: expected a path such as labels.app"})
		}
	}
	for i, name := range f.StaticResources {
		if name == "" {
			faults = append(faults, fault{fmt.Sprintf("static_resources[%d]", i), "must not be empty: expected a cluster's name"})
		}
	}
	return append(faults, checkShape("shape.", f.Shape)...)
}

func checkGlobs(at string, patterns []string) (faults []fault) {
	for i, p := range patterns {
		if p == "" {
			faults = append(faults, fault{fmt.Sprintf("%s[%d]", at, i), `must not be empty: "*" matches all`})
		} else if star := strings.IndexByte(p, '*'); star >= 0 && star < len(p)-1 {
			faults = append(faults, fault{fmt.Sprintf("%s[%d]", at, i), fmt.Sprintf(`%q: "*" may only stand at the end`, p)})
		}
	}
	return faults
}
