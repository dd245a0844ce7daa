package main

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
)

// floor is what grpc-go takes to send ready bytes to all streams: the least
// that a control plane on grpc-go can cost. It answers the first request for a
// type with all resources of it, sends every change to all who asked for its
// type, and expects that clients read. To requests that say what the client
// has (initial_resource_versions), it has nothing to send.
type floor struct {
	counts    *counts
	transport []grpc.ServerOption

	mu          sync.Mutex // guards what follows; not held while something is sent
	catalog     *catalog
	subscribers map[string][]*subscriber // by type URL
}

// subscriber is a stream.
type subscriber struct {
	stream grpc.ServerStream
	asked  map[string]bool // type URLs; its own goroutine's

	sending sync.Mutex // may be taken while floor.mu is held, so that sends are in the order of the catalog's states
}

// newFloor makes a floor with the given transport, grpc-go's defaults if none.
func newFloor(c *counts, transport ...grpc.ServerOption) *floor {
	return &floor{counts: c, transport: transport, catalog: newCatalog(), subscribers: map[string][]*subscriber{}}
}

// aggregated is ADS's delta service, with messages that only floorCodec knows.
var aggregated = grpc.ServiceDesc{
	ServiceName: "envoy.service.discovery.v3.AggregatedDiscoveryService",
	HandlerType: (*any)(nil),
	Streams: []grpc.StreamDesc{{
		StreamName: "DeltaAggregatedResources", ServerStreams: true, ClientStreams: true,
		Handler: func(f any, stream grpc.ServerStream) error { return f.(*floor).follow(stream) },
	}},
}

func (f *floor) serve(l net.Listener) (stop func() error) {
	server := newRPC(f.counts, append(f.transport, grpc.ForceServerCodecV2(newFloorCodec()))...)
	server.RegisterService(&aggregated, f)
	return serveRPC(server, l)
}

// follow answers what one stream asks for, until it ends.
func (f *floor) follow(stream grpc.ServerStream) error {
	s := &subscriber{stream: stream, asked: map[string]bool{}}
	defer f.leave(s)
	for {
		var r request
		if err := stream.RecvMsg(&r); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		f.counts.requests.Add(1)
		if r.acknowledges || s.asked[r.typeURL] {
			continue
		}
		s.asked[r.typeURL] = true
		if err := f.subscribe(s, r); err != nil {
			return err
		}
	}
}

// subscribe sends a stream what there is of a type, and from then on what
// changes of it.
func (f *floor) subscribe(s *subscriber, r request) error {
	f.mu.Lock()
	ready, err := f.catalog.all(r.typeURL)
	if err != nil {
		f.mu.Unlock()
		return err
	}
	f.subscribers[r.typeURL] = append(f.subscribers[r.typeURL], s)
	s.sending.Lock()
	defer s.sending.Unlock()
	f.mu.Unlock()
	if r.versions > 0 {
		return nil
	}
	return s.stream.SendMsg(mem.BufferSlice{mem.SliceBuffer(ready)})
}

func (f *floor) leave(s *subscriber) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for typeURL := range s.asked {
		all := f.subscribers[typeURL]
		for i, other := range all {
			if other == s {
				all[i] = all[len(all)-1]
				all[len(all)-1] = nil
				f.subscribers[typeURL] = all[:len(all)-1]
				break
			}
		}
	}
}

func (f *floor) put(_ context.Context, all []resource) error {
	f.mu.Lock()
	f.catalog.put(all)
	f.mu.Unlock()
	for _, typeURL := range servedTypes {
		err := f.broadcast(typeURL, func() ([]byte, error) { return f.catalog.all(typeURL) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *floor) change(_ context.Context, changed []resource, removed []key) error {
	for _, t := range byType(changed, removed) {
		if t.empty() {
			continue
		}
		if err := f.broadcast(t.typeURL, func() ([]byte, error) { return f.catalog.change(t) }); err != nil {
			return err
		}
	}
	return nil
}

// broadcast sends what encode makes of the catalog to all who asked for the type.
func (f *floor) broadcast(typeURL string, encode func() ([]byte, error)) error {
	f.mu.Lock()
	ready, err := encode()
	to := append([]*subscriber(nil), f.subscribers[typeURL]...)
	f.mu.Unlock()
	if err != nil {
		return err
	}
	frame := mem.BufferSlice{mem.SliceBuffer(ready)}
	for _, s := range to {
		s.sending.Lock()
		// A stream that has ended hears of it in its own goroutine.
		_ = s.stream.SendMsg(frame)
		s.sending.Unlock()
	}
	return nil
}
