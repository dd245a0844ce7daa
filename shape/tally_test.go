package shape_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"pgregory.net/rapid"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
)

// life is a table under a split, as a store and an Envoy go through it.
type life struct {
	*world
	split *shape.Split
	tally *shape.Tally
	held  leaves
	used  map[uint32]bool // IDs of all leaves so far
	now   time.Time
}

// follow takes over a change of one host.
func (l *life) follow(old, now *resource.Resource) {
	l.tally.Change(old, now)
	l.held.change(l.split, old, now)
}

// fill makes, fills or empties a host with literal paths; n is of its routes.
func (l *life) fill(tb testing.TB, name string, n int) {
	old := l.hosts["table/"+name]
	var now *resource.Resource
	if n == 0 {
		delete(l.hosts, "table/"+name)
	} else {
		now = host(tb, name, []string{name + ".example.com"}, prefixes(n)...)
		l.put(now)
	}
	if old != now {
		l.follow(old, now)
	}
}

// settle changes the split if it is due, and checks what must hold for it.
func (l *life) settle(t *rapid.T, tb testing.TB) {
	l.now = l.now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 14, 16}).Draw(t, "minutes")) * time.Minute)
	due := l.tally.Due()
	next := l.tally.Resplit(l.all(), shape.Moment{Now: l.now})
	again := l.tally.Resplit(l.all(), shape.Moment{Now: l.now})
	if !due && next != l.split && len(next.Retired) == len(l.split.Retired) || due && next == l.split && !l.split.Crowded() {
		t.Fatalf("due %v, but the split is another: %v", due, next != l.split)
	}
	if fmt.Sprint(next) != fmt.Sprint(again) {
		t.Fatalf("%+v\nand then %+v", next, again)
	}
	for _, r := range next.Retired {
		if l.now.Sub(r.Since) >= shape.DefaultDrain {
			t.Fatalf("leaf %d is still there %v after it was retired", r.ID, l.now.Sub(r.Since))
		}
	}
	if next == l.split {
		return
	}
	l.checkNext(t, next)
	l.split, l.held = next, leavesOf(next, l.table)
	l.tally = shape.Count(next, l.shell, l.all())
	if l.tally.Due() {
		t.Fatalf("a split is due again at once: %v outgrown", l.tally.Outgrown())
	}
}

// checkNext compares a split with the one that it follows.
func (l *life) checkNext(t *rapid.T, next *shape.Split) {
	before := map[uint32]shape.Area{}
	l.split.Areas(func(id uint32, a shape.Area) { before[id] = a })
	after := map[uint32]shape.Area{}
	next.Areas(func(id uint32, a shape.Area) {
		if was, known := before[id]; known && was != a {
			t.Fatalf("leaf %d covered %+v and now %+v", id, was, a)
		} else if !known && l.used[id] || id >= next.Next {
			t.Fatalf("ID %d was used before, or is not below %d", id, next.Next)
		}
		after[id], l.used[id] = a, true
	})
	for _, leaf := range l.split.Leaves {
		if _, kept := after[leaf.ID]; !kept {
			t.Fatalf("leaf %d is gone without having been retired", leaf.ID)
		}
	}
	l.checkParts(t, next)
}

// checkParts checks that leaves were cut where that makes them smaller.
func (l *life) checkParts(t *rapid.T, next *shape.Split) {
	kept := map[uint32]bool{}
	for _, leaf := range next.Leaves {
		kept[leaf.ID] = true
	}
	if !slices.ContainsFunc(l.split.Leaves, func(leaf shape.Leaf) bool { return kept[leaf.ID] }) {
		return // divided anew
	}
	before, _ := l.tally.Entries()
	after, _ := shape.Count(next, l.shell, l.all()).Entries()
	for i, leaf := range l.split.Leaves {
		if kept[leaf.ID] {
			continue
		}
		at := slices.IndexFunc(next.Retired, func(r shape.Retired) bool { return r.ID == leaf.ID })
		for k, part := range next.Leaves {
			if a := next.Retired[at].Area; contains(a, part.Host, part.Path) && after[k] > before[i]*3/4 {
				t.Fatalf("leaf %d of %d routes and domains was cut, and a part of it has %d", leaf.ID, before[i], after[k])
			}
		}
	}
}

// check compares what was kept up to date with what is made anew, and the
// routing of the leaves with that of the table.
func (l *life) check(t *rapid.T, tb testing.TB) {
	got, all := l.tally.Entries()
	want, sum := shape.Count(l.split, l.shell, l.all()).Entries()
	if !slices.Equal(got, want) || all != sum {
		t.Fatalf("counted %v of %d, anew %v of %d", got, all, want, sum)
	}
	sameFromScratch(t, l.held, leavesOf(l.split, l.table))
	for i, leaf := range l.split.Leaves {
		entries := 0
		for _, p := range l.held[leaf.ID] {
			m, err := p.Message()
			if err != nil {
				tb.Fatal(err)
			}
			entries += len(m.(*routev3.VirtualHost).Domains) + len(m.(*routev3.VirtualHost).Routes)
		}
		if entries != got[i] {
			t.Fatalf("leaf %d holds %d routes and domains, but %d are counted", leaf.ID, entries, got[i])
		}
	}
	whole, parts := l.routing(tb), map[uint32]routing{}
	part := func(id uint32) routing {
		if _, ok := parts[id]; !ok {
			parts[id] = l.held.routing(tb, l.table, id)
		}
		return parts[id]
	}
	a, names := l.aim(tb), slices.Sorted(maps.Keys(l.hosts))
	for range 10 {
		host, path := a.request(t)
		if rapid.Bool().Draw(t, "filled") && len(names) > 0 {
			host = rapid.SampledFrom(names).Draw(t, "host")[len("table/"):] + ".example.com"
			path = fmt.Sprintf("/api/v1/r%05d/%s", rapid.IntRange(0, 700).Draw(t, "path"), path)
		}
		want := whole.route(host, path)
		if len(l.split.Leaves) > 0 {
			if got := part(l.split.Find(host, path)).route(host, path); got != want {
				t.Fatalf("%q %q finds %v in its leaf and %v in the whole table", host, path, got, want)
			}
		}
		for _, r := range l.split.Retired {
			if got := part(r.ID).route(host, path); contains(r.Area, host, path) && got != want {
				t.Fatalf("%q %q finds %v in retired leaf %d and %v in the whole table", host, path, got, r.ID, want)
			}
		}
	}
}

func TestASplitStaysRightWhateverBecomesOfItsTable(t *testing.T) {
	for range max(1, rounds/10) {
		rapid.Check(t, func(rt *rapid.T) { live(rt, t) })
	}
}

// live is a life at random.
func live(rt *rapid.T, t *testing.T) {
	filled := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"})
	o := shape.Options{
		Shards:      rapid.SampledFrom([]int{2, 4, 16, 64}).Draw(rt, "shards"),
		By:          rapid.SampledFrom([]shape.By{shape.ByAuto, shape.ByHost, shape.ByPath, shape.ByHostPath}).Draw(rt, "by"),
		Duplication: rapid.SampledFrom([]float64{1.2, 2, 4}).Draw(rt, "duplication"),
	}
	shell := tableOf(t, &routev3.RouteConfiguration{Name: "table"})
	l := &life{world: &world{shell, map[string]string{}}, split: &shape.Split{Options: o}, held: leaves{}, used: map[uint32]bool{}, now: time.Unix(1e9, 0)}
	l.tally = shape.Count(l.split, l.shell, l.all())
	for range rapid.IntRange(1, 12).Draw(rt, "steps") {
		switch rapid.IntRange(0, 4).Draw(rt, "step") {
		case 0, 1:
			l.fill(t, filled.Draw(rt, "host"), rapid.SampledFrom([]int{0, 5, 60, 300, 600}).Draw(rt, "routes"))
		case 2:
			n := rapid.IntRange(1, 30).Draw(rt, "routes each")
			for i := range 20 {
				l.fill(t, fmt.Sprintf("g%d", i), n)
			}
		default:
			l.follow(l.change(rt, t, 8))
		}
		l.settle(rt, t)
	}
	l.check(rt, t)
}
