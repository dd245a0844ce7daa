package main

import (
	"errors"
	"net"

	"google.golang.org/grpc"
)

// maxRequest is room for the versions of 100,000 resources.
const maxRequest = 64 << 20

// newRPC makes a gRPC server that counts its streams. Its transport is set up
// the same for all kinds.
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
