package hostile

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/deltaplane/deltaplane/internal/envoytest"
	"github.com/deltaplane/deltaplane/resource"
)

// Fields of DeltaDiscoveryRequest, Node, Struct and its parts.
const (
	fieldNode, fieldTypeURL, fieldSubscribe = 1, 2, 3
	fieldID, fieldMetadata                  = 1, 3
	fieldFields, fieldStructValue           = 1, 5
)

func field(number protowire.Number, content []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), content)
}

// asking is a request for clusters by a node, with names.
func asking(names ...string) *discoveryv3.DeltaDiscoveryRequest {
	return &discoveryv3.DeltaDiscoveryRequest{
		Node: &corev3.Node{Id: "hostile"}, TypeUrl: resource.Cluster.URL(), ResourceNamesSubscribe: names,
	}
}

// nested is a request by a node with metadata of so many structs, each in
// another.
func nested(depth int) payload {
	var heads [][]byte // from the inside out; a value is the last field of all around it
	size := 0
	around := func(head []byte) {
		heads = append(heads, head)
		size += len(head)
	}
	of := func(number protowire.Number) []byte {
		return protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.BytesType), uint64(size))
	}
	for range depth {
		around(of(fieldStructValue))
		around(append(field(1, []byte("k")), of(2)...))
		around(of(fieldFields))
	}
	slices.Reverse(heads)
	inner := bytes.Join(heads, nil)
	node := append(field(fieldID, []byte("hostile")), field(fieldMetadata, inner)...)
	return append(field(fieldNode, node), field(fieldTypeURL, []byte(resource.Cluster.URL()))...)
}

// heavy is a request by a node with so many bytes of metadata.
func heavy(size int) *discoveryv3.DeltaDiscoveryRequest {
	q := asking("*")
	q.Node.Metadata = &structpb.Struct{Fields: map[string]*structpb.Value{}}
	for i := range size >> 10 {
		q.Node.Metadata.Fields[fmt.Sprint("key-", i)] = structpb.NewStringValue(strings.Repeat("x", 1000))
	}
	return q
}

func many(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprint("name-", i)
	}
	return names
}

// requests are what a client says on one stream, and the status that answers.
var requests = []struct {
	name   string
	method string
	say    func() []any
	code   codes.Code
}{
	{"a request above the limit", delta, func() []any {
		return []any{payload(bytes.Repeat([]byte{0}, 32<<20+1))}
	}, codes.ResourceExhausted},
	{"bytes that are no message", delta, func() []any {
		return []any{payload("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")}
	}, codes.Internal},
	{"metadata of 10,000 structs, each in another", delta, func() []any { return []any{nested(10_000)} }, codes.Internal},
	{"metadata of 3,000 structs, each in another", delta, func() []any { return []any{nested(3000)} }, codes.InvalidArgument},
	{"a node of 3 MiB", delta, func() []any { return []any{heavy(3 << 20)} }, codes.InvalidArgument},
	{"a node id that changes", delta, func() []any {
		other := asking("a")
		other.Node.Id = "another"
		return []any{asking("*"), other}
	}, codes.InvalidArgument},
	{"no type", delta, func() []any { return []any{&discoveryv3.DeltaDiscoveryRequest{}} }, codes.InvalidArgument},
	{"a type of v2", delta, func() []any {
		return []any{&discoveryv3.DeltaDiscoveryRequest{TypeUrl: "type.googleapis.com/envoy.api.v2.Cluster"}}
	}, codes.InvalidArgument},
	{"another type than the service's", clusters, func() []any {
		return []any{&discoveryv3.DeltaDiscoveryRequest{TypeUrl: resource.Listener.URL()}}
	}, codes.InvalidArgument},
	{"65 types that nobody knows", delta, func() []any {
		var say []any
		for i := range 65 {
			say = append(say, &discoveryv3.DeltaDiscoveryRequest{TypeUrl: fmt.Sprint("type.googleapis.com/unknown.Type", i)})
		}
		return say
	}, codes.ResourceExhausted},
	{"a million names", delta, func() []any { return []any{asking(many(1_000_000)...)} }, codes.ResourceExhausted},
	{"a million names in state of the world", sotw, func() []any {
		return []any{&discoveryv3.DiscoveryRequest{TypeUrl: resource.Endpoint.URL(), ResourceNames: many(1_000_000)}}
	}, codes.ResourceExhausted},
	{"a name of 5 KiB", delta, func() []any { return []any{asking(strings.Repeat("x", 5<<10))} }, codes.InvalidArgument},
	{"a name that is not UTF-8", delta, func() []any {
		return []any{payload(append(field(fieldTypeURL, []byte(resource.Cluster.URL())), field(fieldSubscribe, []byte("\xc3\x28"))...))}
	}, codes.Internal},
	{"a method that does not exist", "/envoy.service.discovery.v3.AggregatedDiscoveryService/Nothing", func() []any {
		return []any{asking("*")}
	}, codes.Unimplemented},
}

func TestHostileRequestsAreRefusedInBoundedMemory(t *testing.T) {
	s := besiege(t)
	for _, q := range requests {
		s.under(q.name, 512, func(s *siege) {
			say := q.say()
			for range repeats {
				s.ends(s.talk(s.connect(), q.method, say...), &discoveryv3.DeltaDiscoveryResponse{}, q.code)
			}
		})
	}
}

func TestMetadataMayBeNestedAsDeeplyAsItIsSmall(t *testing.T) {
	s := besiege(t)
	s.under("2,000 structs, each in another", 512, func(s *siege) {
		for range repeats {
			if err := s.talk(s.connect(), delta, nested(2000)).RecvMsg(&discoveryv3.DeltaDiscoveryResponse{}); err != nil {
				s.Fatal(err)
			}
		}
		if proxy, err := s.plane.Status(envoytest.Context(s), "hostile"); err != nil || !proxy.Connected {
			s.Errorf("its status is %+v, %v", proxy, err)
		}
	})
}
