package xds

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
)

// BenchmarkFanOut is the work of the server itself for one changed resource,
// from the snapshot to frames ready for all streams and their acknowledgements;
// no gRPC. Package internal/cost has the same with it.
func BenchmarkFanOut(b *testing.B) {
	names := make([]string, 1000)
	for i := range names {
		names[i] = fmt.Sprint("c", i)
	}
	for _, subscription := range []struct {
		name  string
		names []string
	}{{"wildcard", []string{"*"}}, {"1,000 names", names}, {"not concerned", []string{"c8"}}} {
		for _, size := range []struct{ streams, resources int }{{100, 10_000}, {1000, 1000}, {1000, 10_000}} {
			b.Run(fmt.Sprintf("%s/%d streams/%d resources", subscription.name, size.streams, size.resources), func(b *testing.B) {
				fanOut(b, size.streams, size.resources, subscription.names)
			})
		}
	}
}

func fanOut(b *testing.B, streams, resources int, names []string) {
	var s store
	for i := range resources {
		s.put(b, endpoints(fmt.Sprint("c", i), 0))
	}
	v := view.New(s.commit(), []string{deltaplane.DefaultNamespace})
	shared := common{patience: time.Second, maxResponse: 4 << 20, maxNames: 1 << 20, maxNamesInAll: 1 << 20}
	all := make([]*conversation, streams)
	for i := range all {
		c := &conversation{common: &shared, delta: true, observe: func(Event) {}}
		c.show(v, v.Version(), false)
		if _, err := c.receive(request{typeURL: resource.Endpoint.URL(), subscribe: names}); err != nil {
			b.Fatal(err)
		}
		acceptAll(b, c)
		all[i] = c
	}
	concerned := 1
	if !slices.Contains(names, "c7") && !slices.Contains(names, "*") {
		concerned = 0
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		s.put(b, endpoints("c7", n))
		v = v.At(s.commit())
		for _, c := range all {
			c.show(v, v.Version(), false)
			if got := acceptAll(b, c); got != concerned {
				b.Fatal(got, " responses for one change")
			}
		}
		shared.fanout.age()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*streams), "ns/stream")
}

// acceptAll takes all responses and acknowledges them.
func acceptAll(b *testing.B, c *conversation) (n int) {
	for s := c.next(time.Time{}); s != nil; s = c.next(time.Time{}) {
		n++
		if _, err := c.receive(request{typeURL: s.lane.typ.URL(), nonce: s.response.Nonce}); err != nil {
			b.Fatal(err)
		}
	}
	return n
}
