package shape_test

import (
	"maps"
	"strings"
	"testing"

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
	w, s := newWorld(rt, t, 8), cuts(rt)
	l := leavesOf(s, w.table)
	for range rapid.IntRange(0, 3).Draw(rt, "changes") {
		old, now := w.change(rt, t, 6)
		l.change(s, old, now)
	}
	sameFromScratch(rt, l, leavesOf(s, w.table))
	whole := w.routing(t)
	parts := map[uint32]routing{}
	s.Areas(func(id uint32, _ shape.Area) { parts[id] = l.routing(t, w.table, id) })
	for range 20 {
		host, path := request(rt)
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
