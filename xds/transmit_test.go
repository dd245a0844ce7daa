package xds

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"

	"github.com/deltaplane/deltaplane/resource"
)

func TestAClientThatDoesNotReadHoldsUpNobody(t *testing.T) {
	large := strings.Repeat("x", 100<<10)
	p := newPlane(t, Config{}, layer("a", 0, len(large)), &clusterv3.Cluster{Name: "a", AltStatName: large},
		&endpointv3.ClusterLoadAssignment{ClusterName: "a", NamedEndpoints: map[string]*endpointv3.Endpoint{"e": {Hostname: large}}},
		&routev3.RouteConfiguration{Name: "a", InternalOnlyHeaders: []string{large}})
	deaf, other := p.client(t, "deaf"), p.client(t, "other")
	for _, typ := range []resource.Type{resource.Runtime, resource.Cluster, resource.Endpoint, resource.Route} {
		deaf.say("deaf", typ, "a")
	}
	// More is sent than gRPC takes: somebody waits for the client, but not who has the stream.
	waitUntil(t, func() bool {
		ctx, cancel := context.WithTimeout(p.ctx, 10*time.Second)
		defer cancel()
		streams, err := p.server.Inspect(ctx)
		if err != nil {
			t.Fatal("the stream of a client that does not read is stuck: ", err)
		}
		return len(streams) == 1 && len(streams[0].Types) == 4
	})
	other.say("other", resource.Cluster, "b")
	other.hear()
	p.store.put(t, cluster("b", 0))
	p.store.commit()
	if r := other.hear(); len(r.Resources) != 1 {
		t.Errorf("got %v", r)
	}
}

func TestAClientThatAnswersWhatItHasNotReadHoldsUpNobody(t *testing.T) {
	large := strings.Repeat("x", 100<<10)
	p := newPlane(t, Config{}, layer("a", 0, len(large)), cluster("b", 0))
	liar := p.client(t, "liar")
	liar.say("liar", resource.Runtime, "a")
	first, err := liar.Recv() // and nothing more
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(first.Nonce, "-")
	for n := range 10 {
		for i := range parts { // it takes the one or the other part for a counter
			guess := slices.Clone(parts)
			if n > 0 {
				guess[i] = strconv.Itoa(n + 1)
			}
			m := &discoveryv3.DeltaDiscoveryRequest{TypeUrl: first.TypeUrl, ResponseNonce: strings.Join(guess, "-"), ResourceNamesSubscribe: []string{"a"}}
			if err := liar.Send(m); err != nil {
				t.Fatal(err)
			}
		}
	}
	liar.say("liar", resource.Cluster, "b")
	waitUntil(t, func() bool {
		ctx, cancel := context.WithTimeout(p.ctx, 10*time.Second)
		defer cancel()
		streams, err := p.server.Inspect(ctx)
		if err != nil {
			t.Fatal("the stream of a client that guesses nonces is stuck: ", err)
		}
		return len(streams) == 1 && len(streams[0].Types) == 2
	})
}

// waitUntil asks again and again until something is so.
func waitUntil(t *testing.T, so func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("never so")
		}
	}
}
