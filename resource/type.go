package resource

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Type names a resource's protobuf message, without the type URL's host:
// "envoy.config.cluster.v3.Cluster".
type Type string

// The types that deltaplane serves, and Fleet, which it keeps for itself.
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
)

const typeURLPrefix = "type.googleapis.com/"

// URL is the type URL as it stands in an Any or a discovery request.
func (t Type) URL() string { return typeURLPrefix + string(t) }

// TypeOfURL is the inverse of URL. It does not check that the type is served.
func TypeOfURL(url string) Type { return Type(url[strings.LastIndexByte(url, '/')+1:]) }

// served lists the types in the order in which make-before-break sends them:
// what is referred to comes before what refers to it.
var served = []Type{Cluster, Endpoint, Secret, ExtensionConfig, Listener, ScopedRoute, Route, VirtualHost, Runtime}

// Served lists the types that xDS clients can subscribe to, in the order in
// which additions are sent; removals go in reverse.
func Served() []Type { return served }

// FullState reports whether a state-of-the-world response for t must hold
// every resource, so that a missing one is a removed one: true for Listener
// and Cluster alone (xDS protocol, "Deleting Resources").
func (t Type) FullState() bool { return t == Listener || t == Cluster }

var short = map[Type]string{
	Cluster: "Cluster", Endpoint: "Endpoint", Secret: "Secret", Listener: "Listener", Route: "Route",
	ScopedRoute: "ScopedRoute", VirtualHost: "VirtualHost", Runtime: "Runtime", ExtensionConfig: "Extension", Fleet: "Fleet",
}

// Short is the name of t in output and on the command line: "Cluster".
// Types without one keep their full name.
func (t Type) Short() string {
	if s, ok := short[t]; ok {
		return s
	}
	return string(t)
}

func (t Type) fullName() protoreflect.FullName { return protoreflect.FullName(t) }
