package main

import (
	"context"
	"sync"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/deltaplane/deltaplane/resource"
)

// proxy is a client on delta ADS that subscribes to all clusters.
type proxy struct {
	conn   *grpc.ClientConn
	stream discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesClient
	refuse bool
	served sync.WaitGroup
}

// dialProxy returns when the proxy has answered the first response. It ends
// with ctx.
func dialProxy(ctx context.Context, address, node string, refuse bool) (*proxy, error) {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	p := &proxy{conn: conn, refuse: refuse}
	p.stream, err = discoveryv3.NewAggregatedDiscoveryServiceClient(conn).DeltaAggregatedResources(ctx)
	if err != nil {
		return nil, err
	}
	first := &discoveryv3.DeltaDiscoveryRequest{TypeUrl: resource.Cluster.URL(), Node: &corev3.Node{Id: node, Cluster: "edge"}}
	if err := p.stream.Send(first); err != nil {
		return nil, err
	}
	if err := p.answer(); err != nil {
		return nil, err
	}
	p.served.Go(func() {
		for p.answer() == nil {
		}
	})
	return p, nil
}

// answer takes one response in and accepts or refuses it.
func (p *proxy) answer() error {
	response, err := p.stream.Recv()
	if err != nil {
		return err
	}
	request := &discoveryv3.DeltaDiscoveryRequest{TypeUrl: response.TypeUrl, ResponseNonce: response.Nonce}
	if p.refuse && len(response.Resources) > 0 {
		request.ErrorDetail = &status.Status{Code: 13, Message: "no such luck\n"}
	}
	return p.stream.Send(request)
}

// wait returns when the stream, whose context has ended, is gone.
func (p *proxy) wait() {
	p.served.Wait()
	_ = p.conn.Close() // it only fails when closed twice
}
