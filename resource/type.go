package resource

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Type names a resource's protobuf message, without the type URL's host:
// "envoy.config.cluster.v3.Cluster".
type Type string

// The types that deltaplane serves, and Fleet and Shape, which it keeps for
// itself.
const (
	Cluster         Type = "envoy.config.cluster.v3.Cluster"
	Endpoint        Type = "envoy.config.endpoint.v3.ClusterLoadAssignment"
	Secret          Type = "envoy.extensions.transport_sockets.tls.v3.Secret"
	Listener        Type = "envoy.config.listener.v3.Listener"
	Route           Type = "envoy.config.route.v3.RouteConfiguration"
	ScopedRoute     Type = "envoy.config.route.v3.ScopedRouteConfiguration"
	VirtualHost     Type = "envoy.config.route.v3.VirtualHost"
	Runtime         Type = "envoy.service.runtime.v3.Runtime"
	ExtensionConfig Type = "envoy.config.core.v3.TypedExtensionConfig"
	Fleet           Type = "deltaplane.v1.Fleet"
	Shape           Type = "deltaplane.v1.Shape"
)

const typeURLPrefix = "type.googleapis.com/"

// URL is the type URL as it stands in an Any or a discovery request.
func (t Type) URL() string { return typeURLPrefix + string(t) }

// TypeOfURL is the inverse of URL. It does not check that the type is served;
// for one that is, it keeps nothing of url alive.
func TypeOfURL(url string) Type {
	t := Type(url[strings.LastIndexByte(url, '/')+1:])
	if rank := t.Rank(); rank < Ranks {
		return served[rank]
	}
	return t
}

// served lists the types in the order in which make-before-break sends them:
// what is referred to comes before what refers to it.
var served = [Ranks]Type{Cluster, Endpoint, Secret, ExtensionConfig, Listener, Route, ScopedRoute, VirtualHost, Runtime}

// Served lists the types that xDS clients can subscribe to, in the order in
// which additions are sent; removals go in reverse.
func Served() []Type { return served[:] }

// Ranks is how many types are served.
const Ranks = 9

// Rank is the place of t in Served, or Ranks if it is not served.
// Cost: a few comparisons of lengths, and of the text where they are equal.
func (t Type) Rank() int {
	for i, s := range Served() {
		if s == t {
			return i
		}
	}
	return Ranks
}

// own lists the types that are for deltaplane itself.
var own = []Type{Fleet, Shape}

// allTypes lists all types that a resource can have.
func allTypes() []Type { return append(slices.Clone(served[:]), own...) }

// FullState reports whether a state-of-the-world response for t must hold
// every resource, so that a missing one is a removed one: true for Listener
// and Cluster (xDS protocol, "Deleting Resources"), and for ScopedRoute, of
// which Envoy drops what a response lacks.
func (t Type) FullState() bool { return t == Listener || t == Cluster || t == ScopedRoute }

var short = map[Type]string{
	Cluster: "Cluster", Endpoint: "Endpoint", Secret: "Secret", Listener: "Listener", Route: "Route",
	ScopedRoute: "ScopedRoute", VirtualHost: "VirtualHost", Runtime: "Runtime", ExtensionConfig: "Extension", Fleet: "Fleet", Shape: "Shape",
}

// Short is the name of t in output and on the command line: "Cluster".
// Types without one keep their full name.
func (t Type) Short() string {
	if s, ok := short[t]; ok {
		return s
	}
	return string(t)
}

// aliases are what people call the types besides Short and the full name.
var aliases = map[string]Type{
	"cds": Cluster, "eds": Endpoint, "sds": Secret, "lds": Listener, "rds": Route,
	"srds": ScopedRoute, "vhds": VirtualHost, "rtds": Runtime, "ecds": ExtensionConfig,
	"cla": Endpoint, "clusterloadassignment": Endpoint, "loadassignment": Endpoint,
	"routeconfiguration": Route, "routeconfig": Route, "scopedrouteconfiguration": ScopedRoute, "scope": ScopedRoute,
	"vhost": VirtualHost, "host": VirtualHost,
	"typedextensionconfig": ExtensionConfig, "extensionconfig": ExtensionConfig,
}

// ParseType reads a type as people write it, in any case, with or without
// hyphens: "Cluster", "clusters", "cds", the full name, or the type URL. The
// error lists what is possible.
func ParseType(s string) (Type, error) {
	if t := TypeOfURL(s); checkType(t) == "" {
		return t, nil
	}
	word := strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(s))
	var names []string
	for _, t := range allTypes() {
		name := strings.ToLower(t.Short())
		names = append(names, name)
		if word == name || word == name+"s" {
			return t, nil
		}
	}
	if t, ok := aliases[word]; ok {
		return t, nil
	}
	if t, ok := aliases[strings.TrimSuffix(word, "s")]; ok {
		return t, nil
	}
	return "", fmt.Errorf("unknown resource type %q: expected one of %s, or a full name such as %s", s, strings.Join(names, ", "), Cluster)
}

func (t Type) fullName() protoreflect.FullName { return protoreflect.FullName(t) }
