package client

import (
	"fmt"
	"net"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
)

// dial makes the one connection that all streams share. It connects when the
// first of them is opened.
func (c *Config) dial() (*grpc.ClientConn, error) {
	transport := insecure.NewCredentials()
	if c.TLS != nil {
		transport = credentials.NewTLS(c.TLS.Clone())
	} else if err := c.checkPlain(); err != nil {
		return nil, err
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(transport),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: c.BackoffMin, Multiplier: 2, Jitter: 0.2, MaxDelay: c.BackoffMax},
			MinConnectTimeout: c.ConnectTimeout,
		}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: c.KeepaliveTime, Timeout: c.KeepaliveTimeout}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(c.MaxMessageBytes), grpc.MaxCallSendMsgSize(c.MaxMessageBytes)),
		grpc.WithUserAgent("deltaplane-client"),
		grpc.WithDisableServiceConfig(),
		grpc.WithDisableRetry(), // a stream that is opened again says anew what it holds
	}
	if c.Token != nil {
		options = append(options, grpc.WithPerRPCCredentials(bearer{c.Token, c.TLS != nil}))
	}
	target := c.Targets[0]
	if len(c.Targets) > 1 {
		list := c.resolver()
		target = list.Scheme() + ":///control-plane"
		options = append(options, grpc.WithResolvers(list))
	}
	conn, err := grpc.NewClient(target, append(options, c.DialOptions...)...)
	if err != nil {
		return nil, fmt.Errorf("control plane %s: %w", strings.Join(c.Targets, ", "), err)
	}
	return conn, nil
}

// resolver gives gRPC the targets as a list, of which its default policy takes
// the first that can be reached. Each is verified under its own name.
func (c *Config) resolver() *manual.Resolver {
	var state resolver.State
	for _, target := range c.Targets {
		address := resolver.Address{Addr: target}
		if host, _, err := net.SplitHostPort(target); err == nil {
			address.ServerName = host
		}
		state.Endpoints = append(state.Endpoints, resolver.Endpoint{Addresses: []resolver.Address{address}})
	}
	list := manual.NewBuilderWithScheme("deltaplane")
	list.InitialState(state)
	return list
}

// checkPlain refuses plain text beyond this machine.
func (c *Config) checkPlain() error {
	if c.Insecure {
		return nil
	}
	for _, target := range c.Targets {
		if !local(target) {
			return fmt.Errorf("control plane %s is not on this machine: set Config.TLS, or Config.Insecure to speak plain text", target)
		}
	}
	return nil
}

// local reports whether a target is on this machine for sure.
func local(target string) bool {
	if strings.HasPrefix(target, "unix:") || strings.HasPrefix(target, "unix-abstract:") {
		return true
	}
	host, _, err := net.SplitHostPort(target[strings.LastIndexByte(target, '/')+1:])
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
