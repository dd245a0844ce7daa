package main

import (
	"errors"
	"net"

	"google.golang.org/grpc"
)

// maxRequest is room for the versions of 100,000 resources.
const maxRequest = 64 << 20

// tuned keeps grpc-go from pinging a client for every message that it sends,
// to find out how large its windows should be: for small requests that is a
// third of what a change costs.
func tuned() []grpc.ServerOption {
	const window = 1 << 20
	return []grpc.ServerOption{grpc.StaticStreamWindowSize(window), grpc.StaticConnWindowSize(window)}
}

// newRPC makes a gRPC server that counts its streams.
func newRPC(c *counts, more ...grpc.ServerOption) *grpc.Server {
	return grpc.NewServer(append(more,
		grpc.MaxRecvMsgSize(maxRequest),
		grpc.StreamInterceptor(func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
			c.streams.Add(1)
			defer c.streams.Add(-1)
			return handle(srv, stream)
		}))...)
}

// serveRPC serves l until stop is called.
func serveRPC(server *grpc.Server, l net.Listener) (stop func() error) {
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	return func() error {
		server.Stop()
		if err := <-served; !errors.Is(err, grpc.ErrServerStopped) {
			return err
		}
		return nil
	}
}
