package conformance

import (
	"bytes"
	"fmt"
	"testing"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	bufferv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/buffer/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/deltaplane/deltaplane/resource"
)

// withMaps is a cluster with maps of twenty entries, outside and inside of an
// Any, whose serializations differ from run to run unless they are canonical.
func withMaps(t *testing.T) proto.Message {
	t.Helper()
	fields, options := map[string]*structpb.Value{}, map[string]*anypb.Any{}
	for i := range 20 {
		key := fmt.Sprint("key-", i)
		fields[key] = structpb.NewStringValue(key)
	}
	metadata := &corev3.Metadata{FilterMetadata: map[string]*structpb.Struct{"lb": {Fields: fields}}}
	for i := range 20 {
		inner, err := anypb.New(metadata)
		if err != nil {
			t.Fatal(err)
		}
		options[fmt.Sprint("envoy.option.", i)] = inner
	}
	limits, err := anypb.New(&bufferv3.Buffer{MaxRequestBytes: wrapperspb.UInt32(1)})
	if err != nil {
		t.Fatal(err)
	}
	options["envoy.option.limits"] = limits
	return &clusterv3.Cluster{
		Name: "maps", ConnectTimeout: durationpb.New(1e9),
		Metadata: metadata, TypedExtensionProtocolOptions: options,
	}
}

func TestAnyWithMapsIsTheSameBytesOnEveryServer(t *testing.T) {
	for _, v := range Variants {
		t.Run(v.String(), func(t *testing.T) {
			var first []byte
			for range 10 {
				s := newScene(t, v, messages(withMaps(t)))
				s.must(s.client.Subscribe(t.Context(), resource.Cluster, "*"))
				got := s.accept(s.client, resource.Cluster).Resources[0].Body.Value
				if first == nil {
					first = got
				}
				if !bytes.Equal(first, got) {
					t.Fatal("two servers serialize the same cluster differently")
				}
			}
		})
	}
}

func TestAnEqualResourceInOtherBytesIsNotSent(t *testing.T) {
	for _, v := range Variants {
		t.Run(v.String(), func(t *testing.T) {
			s := newScene(t, v, messages(withMaps(t)))
			s.must(s.client.Subscribe(t.Context(), resource.Cluster, "*"))
			s.accept(s.client, resource.Cluster)
			for range 5 {
				s.must(s.world.CommitMessages(withMaps(t)))
				s.must(s.client.Barrier(t.Context(), s.world))
			}
		})
	}
}
