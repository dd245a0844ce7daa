package xds

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/wire"
)

// slowStream is a client's connection that takes a response only when open is
// received from.
type slowStream struct {
	grpc.ServerStream
	ctx      context.Context
	requests chan *discoveryv3.DeltaDiscoveryRequest
	open     chan *wire.Response
}

func (s *slowStream) Context() context.Context { return s.ctx }

func (s *slowStream) RecvMsg(m any) error {
	select {
	case q := <-s.requests:
		proto.Merge(m.(proto.Message), q)
		return nil
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
}

func (s *slowStream) SendMsg(m any) error {
	select {
	case s.open <- m.(*wire.Response):
		return nil
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
}

func TestNoHeartbeatsWaitForAClientWhoseConnectionIsBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s store
		s.putFor(t, 3*time.Second, endpoints("e", 0))
		s.commit()
		server := NewServer(&s, Config{})
		defer server.Close()
		ctx, cancel := context.WithCancel(t.Context())
		client := &slowStream{ctx: ctx, requests: make(chan *discoveryv3.DeltaDiscoveryRequest), open: make(chan *wire.Response)}
		ended := make(chan error)
		go func() { ended <- server.serve(client, "", true) }()
		ask := &discoveryv3.DeltaDiscoveryRequest{TypeUrl: resource.Endpoint.URL(), ResourceNamesSubscribe: []string{"e"}}
		client.requests <- ask
		client.requests <- &discoveryv3.DeltaDiscoveryRequest{TypeUrl: resource.Endpoint.URL(), ResponseNonce: (<-client.open).Nonce}

		// One heartbeat goes into the connection and stays there for a minute.
		began := time.Now()
		time.Sleep(time.Minute)
		synctest.Wait()
		first := <-client.open
		if waited := time.Since(began); waited != time.Minute {
			t.Fatalf("it waited %s", waited)
		}
		// What was due meanwhile is one more, and then it goes on by the clock.
		<-client.open
		began = time.Now()
		<-client.open
		if waited := time.Since(began); waited < 800*time.Millisecond || waited > time.Second {
			t.Errorf("the next came after %s", waited)
		}
		// The answer comes too late: the client may have dropped the endpoints.
		client.requests <- &discoveryv3.DeltaDiscoveryRequest{TypeUrl: resource.Endpoint.URL(), ResponseNonce: first.Nonce}
		if whole := <-client.open; whole.Frame.Size() < first.Frame.Size()+20 {
			t.Errorf("%d bytes came, a heartbeat has %d", whole.Frame.Size(), first.Frame.Size())
		}
		cancel()
		<-ended
	})
}
