package xds

import (
	"errors"
	"io"
	"runtime"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/deltaplane/deltaplane/view"
	"github.com/deltaplane/deltaplane/wire"
)

// What a request may not have, since the limits on its bytes would say little
// about the memory that it takes: compression (of zeros, 1 : 1000), and more
// parts than a request needs (empty ones of two bytes take 150).
const (
	partsPerName = 5         // of a discovery request, for each name allowed: to subscribe, to resume (3), to unsubscribe
	partsOfNode  = 50_000    // of its node: a stock Envoy has 5,000
	partsOfOther = 1_000_000 // of other messages, as load reports
	largeBytes   = 1 << 20   // what is larger is decoded by few at a time
	maxDepth     = 10_000    // protobuf's own limit
)

// What may wait unread in gRPC's buffers. By itself gRPC raises both to 16 MiB
// for fast clients. A message that is being read may exceed the stream's.
const (
	streamWindow = 64 << 10
	connWindow   = 1 << 20
)

// intake is the codec of a server that takes requests from strangers. It must
// not be copied.
type intake struct {
	wire.Codec
	parts   int           // of a discovery request
	decoded chan struct{} // one token for each large message that is being decoded
	resumed *view.Resumptions
}

func newIntake(maxNames int, resumed *view.Resumptions) *intake {
	return &intake{wire.NewCodec(), partsPerName*maxNames + partsOfNode, make(chan struct{}, runtime.GOMAXPROCS(0)), resumed}
}

// options are what a grpc.Server needs for the limits to hold.
func (in *intake) options() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ForceServerCodecV2(in),
		grpc.ChainStreamInterceptor(in.intercept),
		grpc.RPCDecompressor(incompressible{}), //nolint:staticcheck // deprecated, but the only way for unary calls: these decode before any interceptor
	}
}

var errCompressed = status.Error(codes.Unimplemented, "requests must not be compressed: send them with grpc-encoding identity")

// intercept refuses compressed streams, and has refusals of single messages
// keep their status.
func (in *intake) intercept(service any, g grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	t, ok := grpc.ServerTransportStreamFromContext(g.Context()).(interface{ RecvCompress() string })
	if ok && t.RecvCompress() != "" && t.RecvCompress() != encoding.Identity {
		return errCompressed
	}
	inbound := inboundOf(g.Context())
	if inbound == nil {
		return handle(service, &guarded{ServerStream: g})
	}
	inbound.room.opened(inbound)
	err := handle(service, &guarded{ServerStream: g, inbound: inbound})
	inbound.room.closed(inbound)
	return err
}

// guarded is a stream whose RecvMsg tells what the codec refused, which gRPC
// would end with INTERNAL, and gives back the room of what was decoded.
type guarded struct {
	grpc.ServerStream
	inbound *inbound // nil: nothing has room
	next    received // overwritten by each RecvMsg
}

// received is a message that is to be decoded, and why it was not.
type received struct {
	message any
	size    int // in bytes
	refused error
}

func (g *guarded) RecvMsg(m any) error {
	r := &g.next
	*r = received{message: m}
	err := g.ServerStream.RecvMsg(r)
	if g.inbound != nil {
		g.inbound.room.decoded(g.inbound, r.size)
	}
	if err != nil {
		return err
	}
	return r.refused
}

// Unmarshal parses data into v, unless it would take too much memory.
func (in *intake) Unmarshal(data mem.BufferSlice, v any) error {
	if data.Len() > largeBytes {
		in.decoded <- struct{}{}
		defer func() { <-in.decoded }()
	}
	whole := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer whole.Free()
	if r, ok := v.(*received); ok {
		r.size = len(whole.ReadOnlyData())
		if m, ok := r.message.(*deltaRequest); ok && r.size <= small {
			if ack, ok := readReceipt(whole.ReadOnlyData()); ok {
				m.TypeUrl, m.ResponseNonce = ack.typeURL, ack.nonce
				return nil
			}
		}
		if r.refused = in.check(whole.ReadOnlyData(), r.message); r.refused != nil {
			return nil // an error from here ends the stream with a status of gRPC's own
		}
		if r.size > small {
			if m, ok := r.message.(proto.Message); ok {
				return proto.Unmarshal(in.condensed(whole.ReadOnlyData(), m), m)
			}
		}
		v = r.message
	} else if err := in.check(whole.ReadOnlyData(), v); err != nil {
		return err
	}
	return in.Codec.Unmarshal(mem.BufferSlice{whole}, v)
}

// condensed is what of data must be decoded into m; m has the rest.
func (in *intake) condensed(data []byte, m proto.Message) []byte {
	switch m := m.(type) {
	case *deltaRequest:
		if m.resumed = in.resumption(data); m.resumed != nil {
			return condensed(data, nodeOfDelta, initialVersions)
		}
		return condensed(data, nodeOfDelta, noField)
	case *discoveryv3.DiscoveryRequest:
		return condensed(data, nodeOfSotW, noField)
	}
	return data
}

// check refuses a message with too many parts.
// Cost: O(parts), up to the limit.
func (in *intake) check(data []byte, v any) error {
	m, ok := v.(proto.Message)
	if !ok {
		return nil
	}
	limit := partsOfOther
	switch v.(type) {
	case *deltaRequest, *discoveryv3.DiscoveryRequest:
		limit = in.parts
	}
	if partsLeft(m.ProtoReflect().Descriptor(), data, limit, 0) < 0 {
		return exhausted("a request of more than %d fields and elements is not taken (xds.Config.MaxNames allows five for each name)", limit)
	}
	return nil
}

// partsLeft is what of left remains after the fields of a message and of those
// in it, negative if it does not suffice. What is no message counts as far as
// it can be read: parsing it will tell.
func partsLeft(d protoreflect.MessageDescriptor, data []byte, left, depth int) int {
	for len(data) > 0 && left >= 0 && depth < maxDepth {
		number, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			break
		}
		data = data[n:]
		if n = protowire.ConsumeFieldValue(number, kind, data); n < 0 {
			break
		}
		left--
		if kind == protowire.BytesType {
			if f := d.Fields().ByNumber(number); f != nil && f.Message() != nil {
				content, _ := protowire.ConsumeBytes(data)
				left = partsLeft(f.Message(), content, left, depth+1)
			}
		}
		data = data[n:]
	}
	return left
}

// incompressible takes gzip's place and decompresses nothing.
type incompressible struct{}

func (incompressible) Type() string { return gzip.Name }

func (incompressible) Do(io.Reader) ([]byte, error) {
	return nil, errors.New("requests must not be compressed")
}
