package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane/resource"
)

// Stream is one xDS stream without any behaviour of its own: it sends what it
// is told to and keeps what arrives. One goroutine may use it.
type Stream struct {
	typ   resource.Type // "" on ADS
	delta bool

	rpc       grpc.ClientStream
	cancel    context.CancelFunc
	responses chan *Response // closed by receive when the stream has ended
	err       error          // why it ended; read after responses is closed
}

// Open starts a stream: ADS when t is empty, else t's own service. The stream
// ends with ctx or Close, which must be called.
func Open(ctx context.Context, conn *grpc.ClientConn, t resource.Type, delta bool) (*Stream, error) {
	method := methods[t].sotw
	if delta {
		method = methods[t].delta
	}
	if method == "" {
		return nil, fmt.Errorf("%s has no such service", t)
	}
	ctx, cancel := context.WithCancel(ctx)
	rpc, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, method)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	s := &Stream{typ: t, delta: delta, rpc: rpc, cancel: cancel, responses: make(chan *Response)}
	go s.receive(ctx)
	return s, nil
}

// receive holds at most one response, so that a client that does not take its
// responses is a slow one on the wire as well.
func (s *Stream) receive(ctx context.Context) {
	defer close(s.responses)
	for {
		var m proto.Message = &discoveryv3.DiscoveryResponse{}
		if s.delta {
			m = &discoveryv3.DeltaDiscoveryResponse{}
		}
		if s.err = s.rpc.RecvMsg(m); s.err != nil {
			return
		}
		select {
		case s.responses <- responseOf(m):
		case <-ctx.Done():
			s.err = ctx.Err()
			return
		}
	}
}

// Send writes one request. When the stream has ended it says why.
func (s *Stream) Send(r Request) error {
	err := s.rpc.SendMsg(r.message(s.delta))
	if !errors.Is(err, io.EOF) {
		return err
	}
	for range s.responses { // drained: the stream has ended
	}
	return s.err
}

// Next waits for a response, or for the stream's end and then returns its error.
func (s *Stream) Next(ctx context.Context) (*Response, error) {
	select {
	case r, ok := <-s.responses:
		if !ok {
			return nil, s.err
		}
		return r, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// CloseSend tells the server that no request will follow.
func (s *Stream) CloseSend() error { return s.rpc.CloseSend() }

// Close ends the stream and returns when its goroutine is gone.
func (s *Stream) Close() {
	s.cancel()
	for range s.responses {
	}
}
