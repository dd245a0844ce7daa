package cost

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/resource/deltaplanev1"
	"github.com/deltaplane/deltaplane/xds"
)

// works counts the work that streams share: an xds.Tracer.
type works struct{ derived, diffed, encoded atomic.Int64 }

func (w *works) Worked(work xds.Work) {
	switch work.Kind {
	case xds.Derived:
		w.derived.Add(1)
	case xds.Diffed:
		w.diffed.Add(1)
	case xds.Encoded:
		w.encoded.Add(1)
	}
}

func (w *works) Pushed(xds.Event) string { return "" }

func (w *works) Within(ctx context.Context, _ deltaplane.Version) context.Context { return ctx }

// team is a fleet of its own namespace, over the default one.
func team(i int) proto.Message {
	name := fmt.Sprint("team-", i)
	return &deltaplanev1.Fleet{Name: name, Namespaces: []string{deltaplane.DefaultNamespace, name},
		Selectors: []*deltaplanev1.Selector{{NodeIds: []string{name + "-*"}}}}
}

func TestAChangeIsEncodedOnceForEachDistinctViewHoweverManyStreamsThereAre(t *testing.T) {
	for _, streams := range []int{1, 20, 100} {
		for _, views := range []int{1, 4} {
			t.Run(fmt.Sprintf("%d streams of each of %d views", streams, views), func(t *testing.T) {
				var shared works
				w := newWorld(t, xds.Config{Tracer: &shared}, many(100, cluster)...)
				for i := range views {
					w.put("", team(i))
					w.put(fmt.Sprint("team-", i), cluster(1000+i, 0))
				}
				w.commit()
				for i := range views {
					w.join(streams, 1, func(node string) []*discoveryv3.DeltaDiscoveryRequest {
						return wildcards(resource.Cluster)(fmt.Sprintf("team-%d-%s", i, node))
					})
				}
				before := shared.encoded.Load()
				for n := range 5 {
					w.change(cluster(7, n+1), streams*views)
				}
				if got := shared.encoded.Load() - before; got != int64(5*views) {
					t.Errorf("5 changes were encoded %d times, want %d", got, 5*views)
				}
			})
		}
	}
}
