package xds

import (
	"github.com/deltaplane/deltaplane/resource"
)

// namesOf is what a client calls resources of type t, as they are called
// here: xdstp:// names in canonical form. Those of virtual hosts are part of
// a longer name and stand as the route configuration has them.
func namesOf(t resource.Type, names []string) []string {
	if t == resource.VirtualHost {
		return names
	}
	return resource.CanonicalNames(names)
}

// versionsOf is namesOf for versions by name.
func versionsOf(t resource.Type, versions map[string]string) map[string]string {
	var renamed map[string]string
	for name, version := range versions {
		canonical, err := resource.CanonicalName(name)
		if err != nil || canonical == name || t == resource.VirtualHost {
			continue
		}
		if renamed == nil {
			renamed = make(map[string]string, len(versions))
		}
		renamed[canonical] = version
	}
	if renamed == nil {
		return versions
	}
	for name, version := range versions {
		if canonical, err := resource.CanonicalName(name); err != nil || canonical == name {
			renamed[name] = version
		}
	}
	return renamed
}
