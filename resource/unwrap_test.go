package resource

import (
	"strings"
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
)

func TestAWrapperGivesItsResourceATTLAndNoOtherName(t *testing.T) {
	inner, err := anypb.New(&clusterv3.Cluster{Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	for what, test := range map[string]struct {
		wrapper *discoveryv3.Resource
		says    string
		ttl     time.Duration
	}{
		"bare":              {&discoveryv3.Resource{Resource: inner}, "", 0},
		"named and labeled": {&discoveryv3.Resource{Name: "a", Version: "7", Resource: inner}, "", 0},
		"with a TTL":        {&discoveryv3.Resource{Name: "a", Ttl: durationpb.New(time.Minute), Resource: inner}, "", time.Minute},
		"another's name":    {&discoveryv3.Resource{Name: "b", Resource: inner}, "differs from the resource's own name", 0},
		"a TTL of nothing":  {&discoveryv3.Resource{Ttl: durationpb.New(0), Resource: inner}, "ttl: must be between", 0},
		"nothing":           {&discoveryv3.Resource{Name: "a"}, `"resource" is missing`, 0},
		"an unknown type":   {&discoveryv3.Resource{Resource: &anypb.Any{TypeUrl: "a/b.c"}}, "no known v3 type", 0},
		"itself":            {&discoveryv3.Resource{Resource: wrapperOf(t, inner)}, "cannot be a resource of its own", 0},
	} {
		r, err := Decoder{}.Unwrap(test.wrapper)
		switch {
		case test.says != "":
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%s: %v, want %q", what, err, test.says)
			}
		case err != nil:
			t.Errorf("%s: %v", what, err)
		case r.TTL() != test.ttl || r.Name() != "a":
			t.Errorf("%s: %q with TTL %s", what, r.Name(), r.TTL())
		}
	}
}

// wrapperOf is a wrapper around a, in an Any.
func wrapperOf(t *testing.T, a *anypb.Any) *anypb.Any {
	t.Helper()
	wrapped, err := anypb.New(&discoveryv3.Resource{Resource: a})
	if err != nil {
		t.Fatal(err)
	}
	return wrapped
}
