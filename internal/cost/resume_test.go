package cost

import (
	"testing"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/xds"
)

var fourTypes = []resource.Type{resource.Cluster, resource.Endpoint, resource.Listener, resource.Route}

// versions is what a proxy of w holds, by type and name.
func (w *world) versions() map[resource.Type]map[string]string {
	w.t.Helper()
	conn, err := grpc.NewClient(w.address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close()
	held := map[resource.Type]map[string]string{}
	for _, typ := range fourTypes {
		stream, err := discoveryv3.NewAggregatedDiscoveryServiceClient(conn).DeltaAggregatedResources(w.t.Context())
		if err == nil {
			err = stream.Send(wildcards(typ)("reader")[0])
		}
		if err != nil {
			w.t.Fatal(err)
		}
		m, err := stream.Recv()
		if err != nil {
			w.t.Fatal(err)
		}
		held[typ] = map[string]string{}
		for _, r := range m.Resources {
			held[typ][r.Name] = r.Version
		}
	}
	return held
}

func TestProxiesThatComeBackWithWhatTheyHoldAreSentNothing(t *testing.T) {
	const streams, resources = 50, 400
	var shared works
	w := newWorld(t, xds.Config{Tracer: &shared}, mixture(resources)...)
	w.join(streams, len(fourTypes), wildcards(fourTypes...))
	if got := w.heard.resources.Load(); got != streams*resources {
		t.Fatalf("%d proxies have heard of %d resources, want all %d each", streams, got, resources)
	}
	held := w.versions()
	w.disconnect()

	sent, encoded := w.events.kinds[xds.Sent].Load(), shared.encoded.Load()
	w.heard.reset()
	w.awaitKind(rested, streams*len(fourTypes), func() { // after each request
		w.connect(streams, func(node string) []*discoveryv3.DeltaDiscoveryRequest {
			requests := wildcards(fourTypes...)(node)
			for i, typ := range fourTypes {
				requests[i].InitialResourceVersions = held[typ]
			}
			return requests
		})
	})
	if err := w.settled(); err != nil {
		t.Fatal(err)
	}
	if sent := w.events.kinds[xds.Sent].Load() - sent; sent != 0 {
		t.Errorf("%d responses were sent to proxies that have everything", sent)
	}
	w.change(endpoint(7, 1), streams)
	if responses, bodies := w.heard.responses.Load(), w.heard.resources.Load(); responses != streams || bodies != streams {
		t.Errorf("%d responses with %d resources, want nothing but the one that has changed since for each of %d proxies", responses, bodies, streams)
	}
	if got := shared.encoded.Load() - encoded; got != 1 {
		t.Errorf("%d responses were encoded, want one", got)
	}
}
