package wire

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"go.uber.org/goleak"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"pgregory.net/rapid"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clusters are served resources of the given sizes.
func clusters(t interface{ Fatal(...any) }, sizes []int) []*view.Resource {
	var tree radix.Tree[*deltaplane.Entry]
	for i, size := range sizes {
		r, err := resource.New(&clusterv3.Cluster{Name: fmt.Sprintf("c%03d", i), AltStatName: strings.Repeat("x", size)})
		if err != nil {
			t.Fatal(err)
		}
		k := deltaplane.Key{Namespace: "default", Type: resource.Cluster, Name: r.Name()}
		tree = tree.Put(k.Path(), &deltaplane.Entry{Resource: r})
	}
	v := view.New(deltaplane.NewSnapshot(1, time.Time{}, tree), []string{"default"})
	var list []*view.Resource
	for _, r := range v.Table(resource.Cluster).All() {
		list = append(list, r)
	}
	return list
}

func sizes(t *rapid.T) []int {
	return rapid.SliceOfN(rapid.SampledFrom([]int{0, 1, 100, 127, 128, small, 20_000}), 0, 6).Draw(t, "sizes")
}

func TestADeltaFrameIsTheMessageThatItSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-zé/*]{1,200}`)
		c := &view.Change{Removed: rapid.SliceOfN(name, 0, 3).Draw(t, "removed"), Missing: rapid.SliceOfN(name, 0, 3).Draw(t, "missing")}
		want := &discoveryv3.DeltaDiscoveryResponse{
			SystemVersionInfo: "v", TypeUrl: resource.Cluster.URL(), Nonce: "n-1",
			RemovedResources: slices.Concat(c.Removed, c.Missing),
		}
		for i, r := range clusters(t, sizes(t)) {
			u := view.Upsert{Resource: r}
			if i == 0 {
				u.Aliases = rapid.SliceOfN(name, 0, 2).Draw(t, "aliases")
			}
			c.Upserts = append(c.Upserts, u)
			want.Resources = append(want.Resources, &discoveryv3.Resource{
				Name: r.Name(), Version: r.Digest().String(), Aliases: u.Aliases, Resource: anyOf(r)})
		}
		frame := Delta(resource.Cluster, "v", "", c)
		var got discoveryv3.DeltaDiscoveryResponse
		parse(t, frame, &got)
		if !proto.Equal(&got, want) {
			t.Fatalf("got  %v\nwant %v", &got, want)
		}
	})
}

func TestASotWFrameIsTheMessageThatItSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := clusters(t, sizes(t))
		want := &discoveryv3.DiscoveryResponse{VersionInfo: "v", TypeUrl: resource.Cluster.URL(), Nonce: "n-1"}
		for _, r := range list {
			want.Resources = append(want.Resources, anyOf(r))
		}
		frame := SotW(resource.Cluster, "v", "", list)
		var got discoveryv3.DiscoveryResponse
		parse(t, frame, &got)
		if !proto.Equal(&got, want) {
			t.Fatalf("got  %v\nwant %v", &got, want)
		}
	})
}

func TestTheControlPlaneIsNamed(t *testing.T) {
	var delta discoveryv3.DeltaDiscoveryResponse
	parse(t, Delta(resource.Cluster, "v", "me", &view.Change{}), &delta)
	var sotw discoveryv3.DiscoveryResponse
	parse(t, SotW(resource.Cluster, "v", "me", nil), &sotw)
	if delta.GetControlPlane().GetIdentifier() != "me" || sotw.GetControlPlane().GetIdentifier() != "me" {
		t.Errorf("delta %v, sotw %v", delta.ControlPlane, sotw.ControlPlane)
	}
}

func TestAnUnknownVirtualHostIsAnEmptyResource(t *testing.T) {
	var got discoveryv3.DeltaDiscoveryResponse
	parse(t, Delta(resource.VirtualHost, "v", "", &view.Change{Missing: []string{"r/unknown"}}), &got)
	if len(got.RemovedResources) != 0 || len(got.Resources) != 1 {
		t.Fatalf("%v", &got)
	}
	if r := got.Resources[0]; r.Name != "r/unknown" || !slices.Equal(r.Aliases, []string{"r/unknown"}) || r.Resource != nil {
		t.Errorf("%v", r)
	}
}

func TestLargeBodiesAreSharedAndNotCopied(t *testing.T) {
	list := clusters(t, []int{20_000})
	frame := SotW(resource.Cluster, "v", "", list)
	body := list[0].Body()
	shared := slices.ContainsFunc(frame.pieces, func(p mem.Buffer) bool {
		return p.Len() == len(body[0]) && &p.ReadOnlyData()[0] == &body[0][0]
	})
	if !shared {
		t.Error("the body was copied into the frame")
	}
	one, two := (&Response{frame, "n-1"}).buffers(), (&Response{frame, "n-2"}).buffers()
	for i := range len(one) - 1 {
		if a, b := one[i].ReadOnlyData(), two[i].ReadOnlyData(); &a[0] != &b[0] {
			t.Errorf("buffer %d is not shared by two streams", i)
		}
	}
}

func TestTheCodecFallsBackToProtobuf(t *testing.T) {
	codec := NewCodec()
	m := &routev3.RouteConfiguration{Name: "r"}
	b, err := codec.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var back routev3.RouteConfiguration
	if err := codec.Unmarshal(b, &back); err != nil || !proto.Equal(m, &back) {
		t.Errorf("%v, %v", &back, err)
	}
	if _, err := codec.Marshal("no message"); err == nil {
		t.Error("a string was marshalled")
	}
}

type failer interface {
	Helper()
	Fatal(...any)
}

// parse reads f with the nonce "n-1", through the codec.
func parse(t failer, f *Frame, m proto.Message) {
	t.Helper()
	codec := NewCodec()
	b, err := codec.Marshal(&Response{f, "n-1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := codec.Unmarshal(b, m); err != nil {
		t.Fatal(err)
	}
	if b.Len() != f.Size()+len("n-1")+2 {
		t.Fatal("size is off: ", b.Len(), f.Size())
	}
	if again, _ := codec.Marshal(&Response{f, "n-1"}); !bytes.Equal(again.Materialize(), b.Materialize()) {
		t.Fatal("a frame sent twice differs")
	}
}

func anyOf(r *view.Resource) *anypb.Any {
	return &anypb.Any{TypeUrl: r.Type().URL(), Value: slices.Concat(r.Body()...)}
}
