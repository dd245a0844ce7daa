package conformance

import (
	"slices"
	"strings"

	"github.com/deltaplane/deltaplane/resource"
)

// spelled is a name that scripts write as ~authority/id?key&key in full:
// xdstp://authority/type/id?key=&key=. Other names stay as they are.
func spelled(t resource.Type, name string) string {
	short, ok := strings.CutPrefix(name, "~")
	if !ok {
		return name
	}
	authority, id, _ := strings.Cut(short, "/")
	id, keys, context := strings.Cut(id, "?")
	full := "xdstp://" + authority + "/" + string(t) + "/" + id
	if context {
		full += "?" + strings.Join(strings.Split(keys, "&"), "=&") + "="
	}
	return full
}

// referred is the type that a spec's reference names; "" if it names none.
func referred(t resource.Type) resource.Type {
	switch t {
	case resource.Cluster:
		return resource.Endpoint
	case resource.Listener, resource.ScopedRoute:
		return resource.Route
	case resource.Route, resource.VirtualHost:
		return resource.Cluster
	}
	return ""
}

// covers reports whether a subscription to one name is for the resource: by
// the same name, where the order of context parameters means nothing, or by
// the glob collection that the resource is a member of (cncf/xds TP1,
// "Normalization", "Glob").
func covers(subscribed, resource string) bool {
	if subscribed == resource || !strings.HasPrefix(subscribed, "xdstp:") {
		return subscribed == resource
	}
	path, context := ordered(subscribed)
	itsPath, itsContext := ordered(resource)
	directory, glob := strings.CutSuffix(path, "/*")
	if glob {
		itsPath = itsPath[:max(strings.LastIndexByte(itsPath, '/'), 0)]
		path = directory
	}
	return path == itsPath && context == itsContext
}

// ordered divides a name before its context parameters and sorts these.
func ordered(name string) (path, context string) {
	path, context, _ = strings.Cut(name, "?")
	parameters := strings.Split(context, "&")
	slices.Sort(parameters)
	return path, strings.Join(parameters, "&")
}
