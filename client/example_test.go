package client_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/client"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/xds"
)

// controlPlane runs a deltaplane in this process, with some clusters.
func controlPlane(ctx context.Context, clusters ...proto.Message) (address string, stop func(), err error) {
	dir, err := os.MkdirTemp("", "deltaplane")
	if err != nil {
		return "", nil, err
	}
	store, err := deltaplane.Open(ctx, deltaplane.Config{DataDir: dir})
	if err != nil {
		return "", nil, err
	}
	_, err = store.Commit(ctx, func(b *deltaplane.Batch) error {
		for _, m := range clusters {
			r, err := resource.New(m)
			if err != nil {
				return err
			}
			b.Put(deltaplane.KeyIn("default", r.Type(), r.Name()), deltaplane.Entry{Resource: r, Owner: "ana"})
		}
		return nil
	})
	if err != nil {
		return "", nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := xds.NewServer(store, xds.Config{})
	g := grpc.NewServer(server.GRPCOptions()...)
	server.Register(g)
	served := make(chan error, 1)
	go func() { served <- g.Serve(listener) }()
	return listener.Addr().String(), func() {
		server.Close()
		g.Stop()
		<-served
		store.Close()
		os.RemoveAll(dir)
	}, nil
}

// Follow all clusters, and refuse what the program cannot use.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	address, stop, err := controlPlane(ctx, cluster("pay", 0), cluster("search", 1))
	if err != nil {
		panic(err)
	}
	defer stop()

	c, err := client.New(client.Config{Targets: []string{address}})
	if err != nil {
		panic(err)
	}
	defer c.Close()
	for update, err := range client.Watch[*clusterv3.Cluster](ctx, c) {
		if err != nil {
			panic(err) // ctx has ended
		}
		for _, r := range update.Resources {
			fmt.Println(r.Name, r.Message.GetConnectTimeout().AsDuration())
		}
		break // a program would go on
	}
	// Output:
	// pay 1s
	// search 2s
}

// One resource, once.
func ExampleGet() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	address, stop, err := controlPlane(ctx, cluster("pay", 0))
	if err != nil {
		panic(err)
	}
	defer stop()
	c, err := client.New(client.Config{Targets: []string{address}})
	if err != nil {
		panic(err)
	}
	defer c.Close()

	pay, err := client.Get[*clusterv3.Cluster](ctx, c, "pay")
	fmt.Println(pay.GetConnectTimeout().AsDuration(), err)
	_, err = client.Get[*clusterv3.Cluster](ctx, c, "cart")
	fmt.Println(errors.Is(err, client.ErrNotFound))
	// Output:
	// 1s <nil>
	// true
}

// Several types on one stream, kept for readers on any goroutine.
func ExampleCache() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	address, stop, err := controlPlane(ctx, cluster("pay", 0), cluster("search", 1))
	if err != nil {
		panic(err)
	}
	defer stop()
	c, err := client.New(client.Config{Targets: []string{address}})
	if err != nil {
		panic(err)
	}
	defer c.Close()

	stream, err := c.Aggregated(ctx)
	if err != nil {
		panic(err)
	}
	clusters, err := client.NewCache[*clusterv3.Cluster](ctx, stream, nil)
	if err != nil {
		panic(err)
	}
	defer clusters.Close()
	listeners, err := client.NewCache[*listenerv3.Listener](ctx, stream, nil)
	if err != nil {
		panic(err)
	}
	defer listeners.Close()
	if err := errors.Join(clusters.Wait(ctx), listeners.Wait(ctx)); err != nil {
		panic(err)
	}
	fmt.Println(clusters.Len(), listeners.Len())
	// Output: 2 0
}
