package main

import (
	"fmt"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	protobuf "google.golang.org/protobuf/proto"
)

// request is what a floor wants to know of a DeltaDiscoveryRequest.
type request struct {
	typeURL      string
	acknowledges bool // it has a response's nonce
	versions     int  // how many initial_resource_versions it has
}

// Fields of DeltaDiscoveryRequest.
const (
	fieldTypeURL  = 2
	fieldVersions = 5
	fieldNonce    = 6
)

// floorCodec sends mem.BufferSlices as they are, and reads requests. Those with
// initial_resource_versions it decodes as a whole, as a control plane must.
type floorCodec struct {
	typeURLs map[string]string // saves a string for each request
}

var _ encoding.CodecV2 = floorCodec{}

func newFloorCodec() floorCodec {
	c := floorCodec{map[string]string{}}
	for _, typeURL := range servedTypes {
		c.typeURLs[typeURL] = typeURL
	}
	return c
}

// Name is that of the encoding which this stands for.
func (floorCodec) Name() string { return proto.Name }

// Marshal hands on a ready message, which others may share.
func (floorCodec) Marshal(v any) (mem.BufferSlice, error) {
	ready, ok := v.(mem.BufferSlice)
	if !ok {
		return nil, fmt.Errorf("a %T is no ready message", v)
	}
	return ready, nil
}

// Unmarshal reads a request.
func (c floorCodec) Unmarshal(data mem.BufferSlice, v any) error {
	r, ok := v.(*request)
	if !ok {
		return fmt.Errorf("a %T is no request", v)
	}
	b := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer b.Free()
	return c.read(b.ReadOnlyData(), r)
}

func (c floorCodec) read(b []byte, r *request) error {
	for rest := b; len(rest) > 0; {
		number, typ, n := protowire.ConsumeTag(rest)
		if n < 0 {
			return protowire.ParseError(n)
		}
		rest = rest[n:]
		if n = protowire.ConsumeFieldValue(number, typ, rest); n < 0 {
			return protowire.ParseError(n)
		}
		switch number {
		case fieldTypeURL:
			text, _ := protowire.ConsumeBytes(rest)
			if r.typeURL, _ = c.typeURLs[string(text)]; r.typeURL == "" {
				r.typeURL = string(text)
			}
		case fieldNonce:
			r.acknowledges = n > 1 // its length, then something
		case fieldVersions:
			return r.decode(b)
		}
		rest = rest[n:]
	}
	return nil
}

// decode reads a request as a whole.
func (r *request) decode(b []byte) error {
	m := &discoveryv3.DeltaDiscoveryRequest{}
	if err := protobuf.Unmarshal(b, m); err != nil {
		return err
	}
	*r = request{typeURL: m.TypeUrl, acknowledges: m.ResponseNonce != "", versions: len(m.InitialResourceVersions)}
	return nil
}
