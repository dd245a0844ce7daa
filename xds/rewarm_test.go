package xds

import (
	"fmt"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
	"github.com/deltaplane/deltaplane/wire"
)

func TestEndpointsThatFollowAClusterAreEncodedOnceForAll(t *testing.T) {
	var s store
	s.put(t, cluster("c", 0), endpoints("c", 0), endpoints("other", 0))
	v := view.New(s.commit(), []string{deltaplane.DefaultNamespace})
	shared := &common{patience: time.Hour, maxNames: 100, maxNamesInAll: 100}
	var streams []*conversation
	for range 10 {
		c := &conversation{common: shared, delta: true, observe: func(Event) {}}
		c.show(v, v.Version(), false)
		for _, typ := range []resource.Type{resource.Cluster, resource.Endpoint} {
			if _, err := c.receive(request{typeURL: typ.URL()}); err != nil {
				t.Fatal(err)
			}
		}
		framesTo(t, c)
		streams = append(streams, c)
	}
	s.put(t, cluster("c", 1))
	v = v.At(s.commit())
	all, names := map[*wire.Frame]bool{}, ""
	for _, c := range streams {
		c.show(v, v.Version(), false)
		names = ""
		for frame, s := range framesTo(t, c) {
			all[frame] = true
			names += fmt.Sprint(s.lane.typ.Short(), len(s.plan.Upserts), " ")
		}
	}
	if len(all) != 2 {
		t.Errorf("%d frames were made for ten clients, the last of which got %s, want one of clusters and one of endpoints", len(all), names)
	}
}

// framesTo takes all responses, acknowledges them, and lists their frames.
func framesTo(t *testing.T, c *conversation) map[*wire.Frame]*send {
	t.Helper()
	all := map[*wire.Frame]*send{}
	for s := c.next(time.Unix(0, 0)); s != nil; s = c.next(time.Unix(0, 0)) {
		all[s.response.Frame] = s
		if _, err := c.receive(request{typeURL: s.lane.typ.URL(), nonce: s.response.Nonce}); err != nil {
			t.Fatal(err)
		}
	}
	return all
}
