package wire

import (
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
)

// Codec is gRPC's codec for protobuf, which in addition sends a *Response from
// its ready buffers. Use it with grpc.ForceServerCodecV2.
type Codec struct{ fallback encoding.CodecV2 }

// NewCodec is a Codec.
func NewCodec() Codec { return Codec{encoding.GetCodecV2(proto.Name)} }

// Marshal is the wire form of v, a *Response or a protobuf message.
func (c Codec) Marshal(v any) (mem.BufferSlice, error) {
	if r, ok := v.(*Response); ok {
		return r.buffers(), nil
	}
	return c.fallback.Marshal(v)
}

// Unmarshal parses data into v, a protobuf message.
func (c Codec) Unmarshal(data mem.BufferSlice, v any) error { return c.fallback.Unmarshal(data, v) }

// Name is "proto": to clients it is the ordinary codec.
func (c Codec) Name() string { return proto.Name }
