package main

import (
	"context"
	"net"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	cachev3 "github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	resourcev3 "github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	sotwv3 "github.com/envoyproxy/go-control-plane/pkg/server/sotw/v3"
	serverv3 "github.com/envoyproxy/go-control-plane/pkg/server/v3"

	// Resources of these types can be decoded.
	_ "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
)

// servedTypes are those that clients may ask for, in the order in which they
// need them.
var servedTypes = []string{resourcev3.ClusterType, resourcev3.EndpointType, resourcev3.ListenerType, resourcev3.RouteType}

// serveCache has go-control-plane's server serve a cache on l. Its loggers
// write nothing, which is their default. joined, if not nil, hears each
// request's node before the cache does.
func serveCache(cache cachev3.Cache, c *counts, joined func(node string), l net.Listener) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	heard := serverv3.CallbackFuncs{
		StreamRequestFunc: func(int64, *discoveryv3.DiscoveryRequest) error {
			c.requests.Add(1)
			return nil
		},
		StreamDeltaRequestFunc: func(_ int64, r *discoveryv3.DeltaDiscoveryRequest) error {
			c.requests.Add(1)
			if joined != nil && r.Node != nil {
				joined(r.Node.Id)
			}
			return nil
		},
	}
	server := newRPC(c, tuned()...)
	discoveryv3.RegisterAggregatedDiscoveryServiceServer(server, serverv3.NewServer(ctx, cache, heard, sotwv3.WithOrderedADS()))
	stopRPC := serveRPC(server, l)
	return func() error {
		cancel()
		return stopRPC()
	}
}

// decode is the message of a resource, as go-control-plane's caches keep it.
func decode(r resource) (types.Resource, error) { return r.any.UnmarshalNew() }
