package view

import (
	"bytes"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/deltaplane/deltaplane/resource"
)

// Field numbers of the few facts that are read straight off the wire form. A
// test compares them with the descriptors.
const (
	clusterType      protowire.Number = 2 // Cluster.Type()e
	clusterEDSConfig protowire.Number = 3 // Cluster.eds_cluster_config
	edsServiceName   protowire.Number = 2 // Cluster.EdsClusterConfig.service_name
	scopeRoutes      protowire.Number = 2 // ScopedRouteConfiguration.route_configuration_name
	scopeOnDemand    protowire.Number = 4 // ScopedRouteConfiguration.on_demand
	routeVHDS        protowire.Number = 9 // RouteConfiguration.vhds
	hostDomains      protowire.Number = 2 // VirtualHost.domains
	clusterTypeEDS   uint64           = 3 // Cluster.DiscoveryType.EDS
)

// fields calls visit for each top-level field of message until it returns
// false. Damaged bytes end the walk.
func fields(message []byte, visit func(n protowire.Number, t protowire.Type, value []byte) bool) {
	for len(message) > 0 {
		n, t, tag := protowire.ConsumeTag(message)
		if tag < 0 {
			return
		}
		size := protowire.ConsumeFieldValue(n, t, message[tag:])
		if size < 0 || !visit(n, t, message[tag:tag+size]) {
			return
		}
		message = message[tag+size:]
	}
}

// EndpointsOf names the ClusterLoadAssignment that an EDS cluster warms with:
// its service name, or its own. ok is false for any other resource.
func EndpointsOf(r *Resource) (name string, ok bool) {
	if r.Type() != resource.Cluster {
		return "", false
	}
	fields(r.source.Bytes(), func(n protowire.Number, t protowire.Type, value []byte) bool {
		switch {
		case n == clusterType && t == protowire.VarintType:
			kind, _ := protowire.ConsumeVarint(value)
			ok = kind == clusterTypeEDS
		case n == clusterEDSConfig && t == protowire.BytesType:
			config, _ := protowire.ConsumeBytes(value)
			fields(config, func(n protowire.Number, t protowire.Type, value []byte) bool {
				if n == edsServiceName && t == protowire.BytesType {
					name, _ = protowire.ConsumeString(value)
				}
				return true
			})
		}
		return true
	})
	if name == "" {
		name = r.Name()
	}
	return name, ok
}

// RoutesOf names the route configuration that a scope leads to. eager is
// false for one that Envoy loads on demand, and where the scope is no scope or
// holds its routes itself.
func RoutesOf(r *Resource) (name string, eager bool) {
	if r.Type() != resource.ScopedRoute {
		return "", false
	}
	demand := uint64(0)
	fields(r.source.Bytes(), func(n protowire.Number, t protowire.Type, value []byte) bool {
		switch {
		case n == scopeRoutes && t == protowire.BytesType:
			name, _ = protowire.ConsumeString(value)
		case n == scopeOnDemand && t == protowire.VarintType:
			demand, _ = protowire.ConsumeVarint(value)
		}
		return true
	})
	return name, name != "" && demand == 0
}

// onDemand reports whether a route configuration's shell asks for VHDS.
func onDemand(shell *resource.Resource) (found bool) {
	fields(shell.Bytes(), func(n protowire.Number, _ protowire.Type, _ []byte) bool {
		found = found || n == routeVHDS
		return !found
	})
	return found
}

// domainsOf lists the domains of a virtual host.
func domainsOf(host *resource.Resource) (domains []string) {
	fields(host.Bytes(), func(n protowire.Number, t protowire.Type, value []byte) bool {
		if n == hostDomains && t == protowire.BytesType {
			domain, _ := protowire.ConsumeString(value)
			domains = append(domains, domain)
		}
		return true
	})
	return domains
}

// Mentions reports whether any string field of r, at any depth and inside of
// any Any, equals one of names. It may err towards true, never towards false:
// it looks for the serialized form. Cost: O(size of r × names).
func Mentions(r *Resource, names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		field := protowire.AppendString(nil, name)
		return slices.ContainsFunc(r.Body(), func(piece []byte) bool { return bytes.Contains(piece, field) })
	})
}
