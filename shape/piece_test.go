package shape_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
)

func TestARequestFindsInItsLeafWhatItFindsInTheWholeTable(t *testing.T) {
	for range rounds {
		rapid.Check(t, func(rt *rapid.T) { routesAlike(rt, t) })
	}
}

func routesAlike(rt *rapid.T, t *testing.T) {
	w := newWorld(rt, t, 8)
	s := cuts(rt, w.aim(t))
	l := leavesOf(s, w.table)
	for range rapid.IntRange(0, 3).Draw(rt, "changes") {
		old, now := w.change(rt, t, 6)
		l.change(s, old, now)
	}
	sameFromScratch(rt, l, leavesOf(s, w.table))
	whole := w.routing(t)
	parts := map[uint32]routing{}
	s.Areas(func(id uint32, _ shape.Area) { parts[id] = l.routing(t, w.table, id) })
	for id, pieces := range l {
		for name, p := range pieces {
			if err := partOf(p, w.hosts[name]); err != nil {
				rt.Fatalf("leaf %d: %v", id, err)
			}
		}
	}
	a := w.aim(t)
	for range 50 {
		host, path := a.request(rt)
		want := whole.route(host, path)
		leaf := s.Find(host, path)
		if got := parts[leaf].route(host, path); got != want {
			rt.Fatalf("%q %q finds %v in leaf %d and %v in the whole table", host, path, got, leaf, want)
		}
		s.Areas(func(id uint32, a shape.Area) {
			if got := parts[id].route(host, path); contains(a, host, path) && got != want {
				rt.Fatalf("%q %q finds %v in leaf %d, %+v, and %v in the whole table", host, path, got, id, a, want)
			}
		})
	}
}

// partOf checks that a piece is a host with some of its routes, in their order.
func partOf(piece, whole *resource.Resource) error {
	part, err := piece.Message()
	if err != nil {
		return err
	}
	all, err := whole.Message()
	if err != nil {
		return err
	}
	some, rest := part.(*routev3.VirtualHost), all.(*routev3.VirtualHost).Routes
	for _, r := range some.Routes {
		at := slices.IndexFunc(rest, func(other *routev3.Route) bool { return proto.Equal(r, other) })
		if at < 0 {
			return fmt.Errorf("route %v is not the host's, or stands in another place", r)
		}
		rest = rest[at+1:]
	}
	some.Routes = all.(*routev3.VirtualHost).Routes
	if !proto.Equal(part, all) {
		return fmt.Errorf("besides its routes the host is %v, not %v", part, all)
	}
	return nil
}

func contains(a shape.Area, host, path string) bool {
	host = strings.ToLower(host)
	return a.HostFrom <= host && (a.HostTo == "" || host < a.HostTo) && a.PathFrom <= path && (a.PathTo == "" || path < a.PathTo)
}

func sameFromScratch(t *rapid.T, got, want leaves) {
	for id := range want {
		if !maps.EqualFunc(got[id], want[id], func(a, b *resource.Resource) bool { return a.Digest() == b.Digest() }) {
			t.Fatalf("leaf %d has other pieces than one made anew: %v and %v", id, got[id], want[id])
		}
	}
}
