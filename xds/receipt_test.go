package xds

import (
	"testing"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/deltaplane/deltaplane/resource"
)

func TestAReceiptSaysWhatProtobufWouldHaveRead(t *testing.T) {
	urls := []string{"", "type.googleapis.com/unknown", resource.Cluster.URL(), resource.Endpoint.URL()}
	short := map[bool]int{}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom([]string{"", "a-1-0123", "b"})
		var data []byte
		for range rapid.IntRange(1, 2).Draw(t, "messages in one") { // protobuf merges them
			m := &discoveryv3.DeltaDiscoveryRequest{TypeUrl: rapid.SampledFrom(urls).Draw(t, "type"), ResponseNonce: text.Draw(t, "nonce")}
			if rapid.IntRange(0, 3).Draw(t, "more") == 0 {
				m.ResourceNamesSubscribe = []string{text.Draw(t, "name")}
			}
			if rapid.IntRange(0, 3).Draw(t, "refused") == 0 {
				m.ErrorDetail = &status.Status{Message: text.Draw(t, "why")}
			}
			data = append(data, encoded(t, m)...)
		}
		if rapid.IntRange(0, 3).Draw(t, "broken") == 0 {
			data = append(data[:rapid.IntRange(0, len(data)).Draw(t, "cut")], rapid.SliceOfN(rapid.Byte(), 0, 3).Draw(t, "junk")...)
		}
		var want discoveryv3.DeltaDiscoveryRequest
		err := proto.Unmarshal(data, &want)
		got, ok := readReceipt(data)
		short[ok]++
		if ok && (err != nil || !proto.Equal(&want, &discoveryv3.DeltaDiscoveryRequest{TypeUrl: got.typeURL, ResponseNonce: got.nonce})) {
			t.Fatalf("%q is read as %+v, protobuf reads %v, %v", data, got, &want, err)
		}
	})
	if short[true] == 0 || short[false] == 0 {
		t.Errorf("%d requests were receipts, %d were not: the test shows little", short[true], short[false])
	}
}

func TestAnAcknowledgementAllocatesItsNonceAlone(t *testing.T) {
	in := newIntake(1, nil)
	data := encoded(t, &discoveryv3.DeltaDiscoveryRequest{TypeUrl: resource.Cluster.URL(), ResponseNonce: "a-1-0123"})
	message := mem.BufferSlice{mem.SliceBuffer(data)}
	var m deltaRequest
	r := &received{message: &m}
	allocations := testing.AllocsPerRun(100, func() {
		if err := in.Unmarshal(message, r); err != nil || r.refused != nil || m.GetResponseNonce() == "" {
			t.Fatal(err, r.refused, m.GetResponseNonce())
		}
	})
	if allocations > 1 {
		t.Errorf("an acknowledgement allocates %v times, want once", allocations)
	}
}
