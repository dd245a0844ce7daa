package xds

import (
	"fmt"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
)

// BenchmarkOneChangeForAThousandStreams is the work of the server itself for
// one changed resource among 10,000, from the snapshot to frames ready for a
// thousand streams and their acknowledgements; no gRPC.
func BenchmarkOneChangeForAThousandStreams(b *testing.B) {
	names := make([]string, 1000)
	for i := range names {
		names[i] = fmt.Sprint("c", i)
	}
	for name, subscribe := range map[string][]string{"wildcard": {"*"}, "1,000 names": names} {
		b.Run(name, func(b *testing.B) {
			var s store
			for i := range 10_000 {
				s.put(b, endpoints(fmt.Sprint("c", i), 0))
			}
			v := view.New(s.commit(), []string{deltaplane.DefaultNamespace})
			shared := common{patience: time.Second, maxResponse: 4 << 20, maxNames: 1 << 20, maxNamesInAll: 1 << 20}
			streams := make([]*conversation, 1000)
			for i := range streams {
				c := &conversation{common: &shared, delta: true, observe: func(Event) {}}
				c.show(v, v.Version(), false)
				if err := c.receive(request{typeURL: resource.Endpoint.URL(), subscribe: subscribe}); err != nil {
					b.Fatal(err)
				}
				acceptAll(b, c)
				streams[i] = c
			}
			b.ResetTimer()
			for n := range b.N {
				s.put(b, endpoints("c7", n+1))
				v = v.At(s.commit())
				for _, c := range streams {
					c.show(v, v.Version(), false)
					if got := acceptAll(b, c); got != 1 {
						b.Fatal(got, " responses for one change")
					}
				}
				shared.fanout.age()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/stream")
		})
	}
}

// acceptAll takes all responses and acknowledges them.
func acceptAll(b *testing.B, c *conversation) (n int) {
	for s := c.next(time.Time{}); s != nil; s = c.next(time.Time{}) {
		n++
		if err := c.receive(request{typeURL: s.lane.typ.URL(), nonce: s.response.Nonce}); err != nil {
			b.Fatal(err)
		}
	}
	return n
}
