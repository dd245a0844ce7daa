package hostile

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane/internal/envoytest"
)

// Methods that clients call.
const (
	delta    = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"
	sotw     = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources"
	clusters = "/envoy.service.cluster.v3.ClusterDiscoveryService/DeltaClusters"
)

// payload is a message as it goes over the wire, valid or not.
type payload []byte

// asIs is a codec that sends payloads as they are.
type asIs struct{}

func (asIs) Name() string { return "proto" }

func (asIs) Marshal(v any) ([]byte, error) {
	switch m := v.(type) {
	case payload:
		return m, nil
	case proto.Message:
		return proto.Marshal(m)
	}
	return nil, fmt.Errorf("%T is no message", v)
}

func (asIs) Unmarshal(data []byte, v any) error { return proto.Unmarshal(data, v.(proto.Message)) }

// talk is a stream of a client that may say anything.
type talk struct{ grpc.ClientStream }

// connect opens a connection that lasts until the attack ends.
func (s *siege) connect() *grpc.ClientConn {
	s.Helper()
	conn, err := grpc.NewClient(s.plane.XDS, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(asIs{}), grpc.MaxCallRecvMsgSize(64<<20)))
	if err != nil {
		s.Fatal(err)
	}
	s.closers = append(s.closers, func() { conn.Close() })
	return conn
}

// talk opens a stream that lasts until the attack ends, and says something. An
// error of saying it shows when the answer is read.
func (s *siege) talk(conn *grpc.ClientConn, method string, say ...any) *talk {
	s.Helper()
	t, err := s.open(s.Context(), conn, method, nil, say...)
	if err != nil {
		s.Fatal(err)
	}
	return t
}

// open is talk for an attack's own goroutines.
func (s *siege) open(ctx context.Context, conn *grpc.ClientConn, method string, options []grpc.CallOption, say ...any) (*talk, error) {
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, method, options...)
	if err != nil {
		return nil, err
	}
	t := &talk{stream}
	t.say(say...)
	return t, nil
}

// say sends messages until the server has ended the stream, which tells why
// when it is read.
func (t *talk) say(messages ...any) {
	for _, m := range messages {
		if t.SendMsg(m) != nil {
			return
		}
	}
}

// ends waits for the stream's end, and expects a code.
func (s *siege) ends(t *talk, into proto.Message, want codes.Code) {
	s.Helper()
	done := make(chan error, 1)
	go func() {
		for {
			if err := t.RecvMsg(into); err != nil {
				done <- err
				return
			}
		}
	}()
	select {
	case err := <-done:
		if status.Code(err) != want {
			s.Errorf("the stream ended with %v, want %s", err, want)
		}
	case <-envoytest.Context(s).Done():
		s.Fatalf("the stream has not ended, want %s", want)
	}
}
