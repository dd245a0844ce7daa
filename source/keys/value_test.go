package keys

import (
	"strings"
	"testing"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"pgregory.net/rapid"

	"github.com/deltaplane/deltaplane/resource"
)

// packed is m in an Any.
func packed(m proto.Message) *anypb.Any {
	a, err := anypb.New(m)
	if err != nil {
		panic(err)
	}
	return a
}

// serialized is m on the wire.
func serialized(m proto.Message) string {
	b, err := proto.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestAValueIsReadByWhatItLooksLike(t *testing.T) {
	a, b := &clusterv3.Cluster{Name: "a"}, &clusterv3.Cluster{Name: "b"}
	wrapped := &discoveryv3.Resource{Name: "b", Version: "7", Resource: packed(b)}
	url := packed(a).TypeUrl
	for what, test := range map[string]struct{ value, names, says string }{
		"YAML":                           {value: clusters("a=1 b=1"), names: "a b"},
		"JSON":                           {value: `{"@type": "` + url + `", "name": "a"}`, names: "a"},
		"a response in JSON":             {value: `{"resources": [{"@type": "` + url + `", "name": "a"}]}`, names: "a"},
		"a serialized Any":               {value: serialized(packed(a)), names: "a"},
		"a serialized response":          {value: serialized(&discoveryv3.DiscoveryResponse{VersionInfo: "1", TypeUrl: url, Resources: []*anypb.Any{packed(a), packed(wrapped)}}), names: "a b"},
		"a response without its type":    {value: serialized(&discoveryv3.DiscoveryResponse{Resources: []*anypb.Any{packed(a)}}), names: "a"},
		"an Any with a response":         {value: serialized(packed(&discoveryv3.DiscoveryResponse{Resources: []*anypb.Any{packed(a), packed(b)}})), names: "a b"},
		"an Any with a wrapper":          {value: serialized(packed(wrapped)), names: "b"},
		"wrappers in wrappers":           {value: serialized(packed(&discoveryv3.Resource{Resource: packed(&discoveryv3.Resource{Resource: packed(wrapped)})})), says: "cannot be a resource of its own"},
		"responses in responses":         {value: serialized(&discoveryv3.DiscoveryResponse{Resources: []*anypb.Any{packed(&discoveryv3.DiscoveryResponse{})}}), says: "stands in another one"},
		"a response of nothing":          {value: serialized(&discoveryv3.DiscoveryResponse{VersionInfo: "\x01"}), says: "holds no resources"},
		"another type than it says":      {value: serialized(&discoveryv3.DiscoveryResponse{TypeUrl: "x/y.z", Resources: []*anypb.Any{packed(a)}}), says: "resources[0]: its type is"},
		"a type that nobody knows":       {value: serialized(&anypb.Any{TypeUrl: "type.googleapis.com/no.such.Type", Value: []byte{8, 1}}), says: "no known v3 type"},
		"a type that is no resource":     {value: serialized(packed(&clusterv3.Filter{Name: "a"})), says: "cannot be a resource of its own"},
		"what Envoy would refuse":        {value: serialized(packed(&clusterv3.Cluster{Name: "a", LbPolicy: 99})), says: `Cluster "a": lb_policy`},
		"bytes of nothing in particular": {value: "\x00\xff\x13", says: "neither YAML nor JSON"},
		"nothing":                        {value: "", says: "holds no resources"},
	} {
		t.Run(what, func(t *testing.T) {
			docs, problems := decode(resource.Decoder{}, "/conf/key", []byte(test.value))
			var names []string
			for _, d := range docs {
				names = append(names, d.Resource.Name())
			}
			if got := strings.Join(names, " "); got != test.names {
				t.Errorf("it holds %q, want %q: %v", got, test.names, problems)
			}
			if (test.says == "") != (problems == nil) || !strings.Contains(problems.Error(), test.says) {
				t.Errorf("problems %v, want %q", problems, test.says)
			}
			for _, p := range problems {
				if p.File != "/conf/key" {
					t.Errorf("a problem of file %q", p.File)
				}
			}
		})
	}
}

func TestNoValueMakesTheReaderPanicOrSayNothing(t *testing.T) {
	seed := []byte(serialized(&discoveryv3.DiscoveryResponse{Resources: []*anypb.Any{packed(&clusterv3.Cluster{Name: "a"})}}))
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")
		if rapid.Bool().Draw(t, "damaged") {
			value = append([]byte{}, seed...)
			for range rapid.IntRange(1, 4).Draw(t, "flips") {
				value[rapid.IntRange(0, len(value)-1).Draw(t, "at")] ^= byte(rapid.IntRange(1, 255).Draw(t, "by"))
			}
		}
		if docs, problems := decode(resource.Decoder{}, "key", value); len(docs) == 0 && len(problems) == 0 {
			t.Fatalf("%q holds nothing, and no problem", value)
		}
	})
}
