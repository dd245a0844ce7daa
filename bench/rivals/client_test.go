package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// patience is how long a test waits for what should come at once.
const patience = 30 * time.Second

// arrival is a response, as a client of any kind of side sees it.
type arrival struct {
	typeURL string
	state   bool     // resources are all that there is of the type
	names   []string // sorted
	removed []string
	values  map[string]*anypb.Any
}

// proxy is a client that acknowledges what it gets.
type proxy interface {
	// next waits for a response.
	next() (arrival, error)
}

// dial connects a proxy of the kind that the side serves, which asks for all
// of every type. It lives until the test has ended.
func dial(t *testing.T, kind, address, node string) proxy {
	t.Helper()
	switch kind {
	case "tcp":
		return dialTCP(t, address)
	case "snapshot":
		return dialSotW(t, address, node)
	}
	return dialDelta(t, address, node, servedTypes...)
}

func dialTCP(t *testing.T, address string) proxy {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	t.Cleanup(func() { stop(); conn.Close(); cancel() })
	return &tcpProxy{conn, bufio.NewReader(conn)}
}

// dialADS returns a client and the context for its stream.
func dialADS(t *testing.T, address string) (context.Context, discoveryv3.AggregatedDiscoveryServiceClient) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); conn.Close() })
	return ctx, discoveryv3.NewAggregatedDiscoveryServiceClient(conn)
}

func dialSotW(t *testing.T, address, node string) proxy {
	t.Helper()
	ctx, ads := dialADS(t, address)
	stream, err := ads.StreamAggregatedResources(ctx)
	for _, typeURL := range servedTypes {
		if err == nil {
			err = stream.Send(&discoveryv3.DiscoveryRequest{Node: &corev3.Node{Id: node}, TypeUrl: typeURL})
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return sotwProxy{stream}
}

func dialDelta(t *testing.T, address, node string, typeURLs ...string) deltaProxy {
	t.Helper()
	ctx, ads := dialADS(t, address)
	stream, err := ads.DeltaAggregatedResources(ctx)
	for _, typeURL := range typeURLs {
		if err == nil {
			err = stream.Send(&discoveryv3.DeltaDiscoveryRequest{Node: &corev3.Node{Id: node}, TypeUrl: typeURL})
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return deltaProxy{stream}
}

type deltaProxy struct {
	stream discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResourcesClient
}

func (p deltaProxy) next() (arrival, error) {
	r, err := p.stream.Recv()
	if err != nil {
		return arrival{}, err
	}
	return arrivalOf(r), p.stream.Send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: r.TypeUrl, ResponseNonce: r.Nonce})
}

func arrivalOf(r *discoveryv3.DeltaDiscoveryResponse) arrival {
	a := arrival{typeURL: r.TypeUrl, removed: r.RemovedResources, values: map[string]*anypb.Any{}}
	for _, resource := range r.Resources {
		a.names = append(a.names, resource.Name)
		a.values[resource.Name] = resource.Resource
	}
	slices.Sort(a.names)
	return a
}

type sotwProxy struct {
	stream discoveryv3.AggregatedDiscoveryService_StreamAggregatedResourcesClient
}

func (p sotwProxy) next() (arrival, error) {
	r, err := p.stream.Recv()
	if err != nil {
		return arrival{}, err
	}
	a := arrival{typeURL: r.TypeUrl, state: true, values: map[string]*anypb.Any{}}
	for _, resource := range r.Resources {
		name, err := nameOf(resource.Value)
		if err != nil {
			return arrival{}, err
		}
		a.names = append(a.names, name)
		a.values[name] = resource
	}
	slices.Sort(a.names)
	return a, p.stream.Send(&discoveryv3.DiscoveryRequest{TypeUrl: r.TypeUrl, ResponseNonce: r.Nonce, VersionInfo: r.VersionInfo})
}

type tcpProxy struct {
	conn net.Conn
	in   *bufio.Reader
}

func (p *tcpProxy) next() (arrival, error) {
	var head [4]byte
	if _, err := io.ReadFull(p.in, head[:]); err != nil {
		return arrival{}, err
	}
	payload := make([]byte, binary.BigEndian.Uint32(head[:]))
	if _, err := io.ReadFull(p.in, payload); err != nil {
		return arrival{}, err
	}
	r := &discoveryv3.DeltaDiscoveryResponse{}
	if err := proto.Unmarshal(payload, r); err != nil {
		return arrival{}, err
	}
	_, err := p.conn.Write(appendFrame(nil, []byte(r.Nonce)))
	return arrivalOf(r), err
}
