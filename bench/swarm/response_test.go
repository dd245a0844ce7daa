package swarm

import (
	"testing"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"pgregory.net/rapid"

	"github.com/deltaplane/deltaplane/bench/swarm/fixture"
)

// drawResponse is any delta response, and the newest change in it.
func drawResponse(t *rapid.T) (m *discoveryv3.DeltaDiscoveryResponse, newest int) {
	m = &discoveryv3.DeltaDiscoveryResponse{
		SystemVersionInfo: rapid.StringN(0, 40, -1).Draw(t, "version"),
		TypeUrl:           rapid.SampledFrom([]string{"", fixture.Cluster.TypeURL(), fixture.Route.TypeURL()}).Draw(t, "type"),
		Nonce:             rapid.StringN(0, 40, -1).Draw(t, "nonce"),
		RemovedResources:  rapid.SliceOfN(rapid.StringN(0, 20, -1), 0, 3).Draw(t, "removed"),
	}
	for range rapid.IntRange(0, 4).Draw(t, "resources") {
		value := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "value")
		if rapid.Bool().Draw(t, "changed") {
			change := rapid.IntRange(1, fixture.LastChange).Draw(t, "change")
			value = append(append(value, fixture.Mark(change)...), value...)
			newest = max(newest, change)
		}
		m.Resources = append(m.Resources, &discoveryv3.Resource{Name: "r", Version: "v", Resource: &anypb.Any{TypeUrl: m.TypeUrl, Value: value}})
	}
	return m, newest
}

func TestAResponseReadInPiecesIsTheResponse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var d decoder
		for range 2 { // nothing of the first may be left in the second
			m, newest := drawResponse(t)
			data, err := proto.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			d.begin()
			for rest := data; len(rest) > 0; {
				n := rapid.IntRange(1, min(len(rest), rapid.SampledFrom([]int{1, 30, 5000}).Draw(t, "most"))).Draw(t, "piece")
				if !d.feed(rest[:n]) {
					t.Fatal("not taken for a response")
				}
				rest = rest[n:]
			}
			if !d.ended() {
				t.Error("not at its end")
			}
			if string(d.version) != m.SystemVersionInfo || string(d.typeURL) != m.TypeUrl || string(d.nonce) != m.Nonce {
				t.Errorf("read %q %q %q of %v", d.version, d.typeURL, d.nonce, m)
			}
			if d.got != len(m.Resources) || d.removed != len(m.RemovedResources) || d.newest != newest {
				t.Errorf("read %d resources, %d removals, change %d; want %d, %d, %d", d.got, d.removed, d.newest, len(m.Resources), len(m.RemovedResources), newest)
			}
		}
	})
}

func TestWhatIsNoResponseIsRefused(t *testing.T) {
	for _, data := range []string{"\x0b", "\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"} {
		var d decoder
		d.begin()
		if d.feed([]byte(data)) {
			t.Errorf("%x is taken for a response", data)
		}
	}
}
