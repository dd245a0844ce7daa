package xds

import (
	"fmt"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/deltaplane/deltaplane/shape"
	"github.com/deltaplane/deltaplane/view"
)

// known are extensions that shape looks for.
var known = []string{
	"envoy.filters.network.http_connection_manager", "envoy.http.early_header_mutation.header_mutation",
	"envoy.built_in_formatters.cel", "envoy.srds_factory.default",
}

// drawNode is a node of an Envoy with extensions of all sorts.
func drawNode(t *rapid.T) *corev3.Node {
	node := &corev3.Node{
		Id: rapid.String().Draw(t, "id"), UserAgentName: "envoy", ClientFeatures: []string{"envoy.lb.does_not_support_overprovisioning"},
		UserAgentVersionType: &corev3.Node_UserAgentBuildVersion{UserAgentBuildVersion: &corev3.BuildVersion{Version: &typev3.SemanticVersion{MajorNumber: 1, MinorNumber: 40}}},
	}
	for i := range rapid.IntRange(0, 200).Draw(t, "extensions") {
		name := fmt.Sprint("extension-of-no-interest-", i)
		if rapid.Bool().Draw(t, "known") {
			name = rapid.SampledFrom(known).Draw(t, "name")
		}
		node.Extensions = append(node.Extensions, &corev3.Extension{Name: name, Category: "some", Disabled: rapid.IntRange(0, 3).Draw(t, "disabled") == 0})
	}
	return node
}

// What is not decoded of a request is nothing that anybody would look at.
func TestACondensedRequestSaysTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		node := drawNode(t)
		names := rapid.SliceOf(rapid.String()).Draw(t, "names")
		var whole proto.Message = &discoveryv3.DeltaDiscoveryRequest{Node: node, TypeUrl: "type", ResourceNamesSubscribe: names, ResponseNonce: "n"}
		got, field := proto.Message(&discoveryv3.DeltaDiscoveryRequest{}), nodeOfDelta
		if rapid.Bool().Draw(t, "sotw") {
			whole, got, field = &discoveryv3.DiscoveryRequest{Node: node, TypeUrl: "type", ResourceNames: names, VersionInfo: "v"}, &discoveryv3.DiscoveryRequest{}, nodeOfSotW
		}
		if err := proto.Unmarshal(condensed(encoded(t, whole), field, noField), got); err != nil {
			t.Fatal(err)
		}
		read := got.(interface{ GetNode() *corev3.Node }).GetNode()
		if is, was := shape.Eligible(read), shape.Eligible(node); is != was {
			t.Fatalf("condensed: %q, as written: %q", is, was)
		}
		for _, n := range []*corev3.Node{read, node} {
			n.Extensions, n.ClientFeatures = nil, nil
		}
		if !proto.Equal(got, whole) {
			t.Fatalf("got %v, want %v", got, whole)
		}
	})
}

// What cannot be read is refused as it is without condensing.
func TestCondensingHidesNothingUnreadable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := encoded(t, &discoveryv3.DeltaDiscoveryRequest{Node: drawNode(t), TypeUrl: "type"})
		data = data[:rapid.IntRange(0, len(data)).Draw(t, "cut")]
		var whole, got discoveryv3.DeltaDiscoveryRequest
		was, is := proto.Unmarshal(data, &whole), proto.Unmarshal(condensed(data, nodeOfDelta, noField), &got)
		if (was == nil) != (is == nil) {
			t.Fatalf("condensed: %v, as written: %v", is, was)
		}
	})
}

// FuzzCondensed compares with protobuf: what it reads, it reads of the condensed
// request as well, but for what nobody asks for.
func FuzzCondensed(f *testing.F) {
	f.Add(protowire.AppendBytes(protowire.AppendTag(nil, nodeOfDelta, protowire.BytesType), []byte{0x4a, 0xff}))
	group := protowire.AppendTag(protowire.AppendTag(nil, 99, protowire.StartGroupType), 99, protowire.EndGroupType)
	versions, err := proto.Marshal(&discoveryv3.DeltaDiscoveryRequest{InitialResourceVersions: map[string]string{"a": "1"}, TypeUrl: "type"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append(append(versions, group...), versions...))
	f.Fuzz(func(t *testing.T, data []byte) {
		short := condensed(data, nodeOfDelta, initialVersions)
		if len(short) > len(data) {
			t.Fatalf("%d bytes became %d", len(data), len(short))
		}
		var whole, got discoveryv3.DeltaDiscoveryRequest
		if proto.Unmarshal(data, &whole) != nil {
			return
		}
		if err := proto.Unmarshal(short, &got); err != nil {
			t.Fatal(err)
		}
		if is, was := shape.Eligible(got.GetNode()), shape.Eligible(whole.GetNode()); is != was {
			t.Fatalf("condensed: %q, as written: %q", is, was)
		}
		if left := len(got.GetInitialResourceVersions()); left > 0 {
			t.Fatalf("%d versions are left", left)
		}
		for _, q := range []*discoveryv3.DeltaDiscoveryRequest{&whole, &got} {
			q.InitialResourceVersions = nil
			if q.Node != nil {
				q.Node.Extensions, q.Node.ClientFeatures = nil, nil
			}
		}
		if !proto.Equal(&got, &whole) {
			t.Fatalf("got %v, want %v", &got, &whole)
		}
	})
}

// The nodes of a start of a thousand Envoys are 60 KB each, and 500 messages.
func TestTheFirstRequestOfAnEnvoyAllocatesLittle(t *testing.T) {
	node := &corev3.Node{Id: "proxy", UserAgentName: "envoy"}
	for i := range 516 {
		node.Extensions = append(node.Extensions, &corev3.Extension{Name: fmt.Sprint("envoy.extension.", i), Category: "envoy.filters.http", TypeUrls: []string{"some.type"}})
	}
	data := encoded(t, &discoveryv3.DeltaDiscoveryRequest{Node: node, TypeUrl: "type"})
	in := newIntake(10, &view.Resumptions{})
	allocations := testing.AllocsPerRun(20, func() {
		if err := in.Unmarshal(mem.BufferSlice{mem.SliceBuffer(data)}, &received{message: &deltaRequest{}}); err != nil {
			t.Fatal(err)
		}
	})
	if allocations > 40 {
		t.Errorf("%v allocations for a node with 516 extensions, want at most 40", allocations)
	}
}

func encoded(t interface{ Fatal(...any) }, m proto.Message) []byte {
	data, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
