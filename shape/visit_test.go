package shape_test

import (
	"fmt"
	"slices"
	"testing"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
)

// patched is h with one route more in the middle.
func patched(tb testing.TB, h *resource.Resource, name string) *resource.Resource {
	tb.Helper()
	m, err := h.Message()
	if err != nil {
		tb.Fatal(err)
	}
	v := m.(*routev3.VirtualHost)
	half := len(v.Routes) / 2
	v.Routes = append(v.Routes[:half:half], append([]*routev3.Route{route(name, prefix("/api/v1/r00000/"+name))}, v.Routes[half:]...)...)
	r, err := resource.New(v)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func TestAChangedRouteCostsAtMostItsSegmentHoweverManyStandAroundIt(t *testing.T) {
	for _, n := range []int{1000, 10_000, 100_000} {
		table := wide(t, 1, n)
		s := fresh(t, table, shape.Defaults())
		tally := shape.Count(s, table.shell, func(func(*resource.Resource) bool) {})
		first := table.hosts["table/h00000"]
		pieces, change := shape.Visited(s, tally, first, patched(t, first, "one"))
		// A segment has come, of some 100 routes on average; the host of 1,000
		// routes is one segment. What is counted is the one route.
		if pieces[0] != n || pieces[1] < 1 || pieces[1] > 1002 {
			t.Errorf("%d routes in a host: %v read by Pieces", n, pieces)
		}
		if change[0] != n || change[1] != 1 {
			t.Errorf("%d routes in a host: %v read by Change", n, change)
		}
	}
}

func TestAChangedHostCostsItselfHoweverManyStandAroundIt(t *testing.T) {
	for _, n := range []int{100, 1000} {
		table := wide(t, n, 10)
		s := fresh(t, table, shape.Defaults())
		tally := shape.Count(s, table.shell, table.all())
		first := table.hosts["table/h00050"]
		second := patched(t, first, "one")
		if pieces, change := shape.Visited(s, tally, first, second); pieces[1] != 0 || change[1] != 1 {
			t.Errorf("%d hosts: Pieces reads %d routes of one, Change %d", n, pieces[1], change[1])
		}
		visited := 0
		s.Pieces(first, second, func(uint32, *resource.Resource) { visited++ })
		if visited != 1 {
			t.Errorf("%d hosts: %d leaves have a new piece", n, visited)
		}
	}
}

func TestOnlyLeavesWithAnotherPieceAreVisited(t *testing.T) {
	table := wide(t, 1, 2000)
	s := fresh(t, table, shape.Defaults())
	tally := shape.Count(s, table.shell, table.all())
	h := table.hosts["table/h00000"]
	for _, c := range []struct {
		what   string
		change func(*routev3.VirtualHost)
		leaves int
	}{
		{"a route is renamed", func(v *routev3.VirtualHost) { v.Routes[1500].Name = "other" }, 1},
		{"a route moves within the host", func(v *routev3.VirtualHost) {
			r := v.Routes[3]
			v.Routes = append(append(append([]*routev3.Route{}, v.Routes[:3]...), v.Routes[4:]...), r)
		}, 1},
		{"two far routes change places", func(v *routev3.VirtualHost) { v.Routes[0], v.Routes[1999] = v.Routes[1999], v.Routes[0] }, 2},
		{"the host has another domain", func(v *routev3.VirtualHost) { v.Domains[0] = "other" }, len(s.Leaves)},
		{"the host changes", func(v *routev3.VirtualHost) { v.RequireTls = routev3.VirtualHost_ALL }, len(s.Leaves)},
	} {
		m, err := h.Message()
		if err != nil {
			t.Fatal(err)
		}
		c.change(m.(*routev3.VirtualHost))
		now, err := resource.New(m)
		if err != nil {
			t.Fatal(err)
		}
		visited, held := map[uint32]bool{}, leavesOf(s, table)
		s.Pieces(h, now, func(id uint32, _ *resource.Resource) { visited[id] = true })
		held.change(s, h, now)
		table.put(now)
		for id, pieces := range leavesOf(s, table) {
			if got := held[id][h.Name()]; got.Digest() != pieces[h.Name()].Digest() {
				t.Errorf("%s: the piece in leaf %d differs from one made anew", c.what, id)
			}
		}
		tally.Change(h, now)
		got, _ := tally.Entries()
		if want, _ := shape.Count(s, table.shell, table.all()).Entries(); !slices.Equal(got, want) {
			t.Errorf("%s: counted %v, anew %v", c.what, got, want)
		}
		tally.Change(now, h)
		table.put(h)
		if len(visited) > c.leaves || len(visited) == 0 {
			t.Errorf("%s: %d of %d leaves are visited, want at most %d", c.what, len(visited), len(s.Leaves), c.leaves)
		}
	}
}

func TestALargeHostMayMoveToOtherLeaves(t *testing.T) {
	table := wide(t, 100, 10)
	old := host(t, "large", []string{"h00010a.example.com"}, prefixes(3000)...)
	now := host(t, "large", []string{"h00090a.example.com"}, prefixes(3000)...)
	table.put(old)
	s := fresh(t, table, shape.Defaults())
	tally, held := shape.Count(s, table.shell, table.all()), leavesOf(s, table)
	tally.Change(old, now)
	held.change(s, old, now)
	table.put(now)
	got, _ := tally.Entries()
	if want, _ := shape.Count(s, table.shell, table.all()).Entries(); !slices.Equal(got, want) {
		t.Errorf("counted %v, anew %v", got, want)
	}
	for id, pieces := range leavesOf(s, table) {
		if len(held[id]) != len(pieces) {
			t.Errorf("leaf %d holds %d hosts, anew %d", id, len(held[id]), len(pieces))
		}
	}
}

func TestAPieceIsTheResourceThatNewWouldMake(t *testing.T) {
	table := wide(t, 1, 20_000) // parts of it have several segments
	s := fresh(t, table, shape.Options{Shards: 8, Duplication: 2})
	segmented := 0
	for id, pieces := range leavesOf(s, table) {
		for name, p := range pieces {
			m, err := p.Message()
			if err != nil {
				t.Fatal(err)
			}
			want, err := resource.New(m)
			if err != nil {
				t.Fatal(err)
			}
			if p.Digest() != want.Digest() || p.Name() != name || p.Type() != resource.VirtualHost || len(p.Segments()) != len(want.Segments()) {
				t.Errorf("leaf %d: piece %q of %q differs from what New makes of it", id, p.Name(), name)
			}
			segmented += len(p.Segments()) - 1
		}
	}
	if segmented == 0 {
		t.Error("no piece has several segments")
	}
}

func TestMemoryIsBounded(t *testing.T) {
	h := wide(t, 1, 5000).hosts["table/h00000"]
	m := shape.NewMemory(1000)
	for i := range 4 {
		h = patched(t, h, fmt.Sprint("more", i))
		m.Read(h)
	}
	if n := m.Kept(); n == 0 || n > 4000 {
		t.Errorf("%d routes are remembered under a limit of 1000 for a generation", n)
	}
}
