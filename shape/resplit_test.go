package shape_test

import (
	"slices"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane/shape"
)

// grown is a split table in which one host has got so many routes since.
func grown(t *testing.T, o shape.Options, routes int) (*table, *shape.Split, *shape.Tally) {
	table := wide(t, 100, 10)
	s := fresh(t, table, o)
	tally := shape.Count(s, table.shell, table.all())
	old := table.hosts["table/h00050"]
	table.put(host(t, "h00050", []string{"h00050.example.com"}, prefixes(routes)...))
	tally.Change(old, table.hosts["table/h00050"])
	return table, s, tally
}

func TestOnlyALeafThatHasOutgrownItsBoundIsCut(t *testing.T) {
	table, s, tally := grown(t, shape.Options{Shards: 20, Duplication: 2}, 400)
	leaf := s.Find("h00050.example.com", "/")
	if out := tally.Outgrown(); !tally.Due() || !slices.Equal(out, []uint32{leaf}) {
		t.Fatalf("outgrown: %v, want %d", out, leaf)
	}
	next := tally.Resplit(table.all(), shape.Moment{Now: time.Unix(1e9, 0)})
	if len(next.Retired) != 1 || next.Retired[0].ID != leaf {
		t.Fatalf("retired: %+v", next.Retired)
	}
	for _, l := range s.Leaves {
		if l.ID != leaf && !slices.Contains(next.Leaves, l) {
			t.Errorf("leaf %+v is gone", l)
		}
	}
	if _, largest := sizes(next, table); len(next.Leaves) <= len(s.Leaves) || largest > 150 {
		t.Errorf("%d leaves, the largest of %d routes", len(next.Leaves), largest)
	}
	if again := shape.Count(next, table.shell, table.all()); again.Due() || again.Resplit(table.all(), shape.Moment{Now: time.Unix(1e9, 0)}) != next {
		t.Error("the new split is due again")
	}
}

func TestALeafBelowItsBoundIsLeftAlone(t *testing.T) {
	table, s, tally := grown(t, shape.Options{Shards: 20, Duplication: 2}, 120)
	if tally.Due() || tally.Resplit(table.all(), shape.Moment{Now: time.Unix(1e9, 0)}) != s {
		t.Errorf("outgrown: %v", tally.Outgrown())
	}
}

func TestALeafThatCannotBeCutIsLeftAloneUntilItHasDoubled(t *testing.T) {
	table, s, tally := grown(t, shape.Options{Shards: 100, By: shape.ByHost, Duplication: 2}, 400)
	next := tally.Resplit(table.all(), shape.Moment{Now: time.Unix(1e9, 0)})
	if len(next.Retired) > 0 || len(next.Leaves) != len(s.Leaves) {
		t.Fatalf("%d leaves, %d retired", len(next.Leaves), len(next.Retired))
	}
	old := table.hosts["table/h00050"]
	for _, c := range []struct {
		routes int
		due    bool
	}{{400, false}, {700, false}, {900, true}} {
		tally := shape.Count(next, table.shell, table.all())
		now := host(t, "h00050", []string{"h00050.example.com"}, prefixes(c.routes)...)
		tally.Change(old, now)
		if got := tally.Outgrown(); (len(got) > 0) != c.due {
			t.Errorf("at %d routes outgrown: %v", c.routes, got)
		}
	}
}

func TestATableThatHasBecomeSmallGoesOutAsWritten(t *testing.T) {
	table := wide(t, 100, 10)
	tally := shape.Count(fresh(t, table, shape.Defaults()), table.shell, table.all())
	for i, h := range slices.Collect(table.all()) {
		if due, left := tally.Due(), tally.Routes(); due != (left < shape.Threshold/2) {
			t.Fatalf("with %d routes due: %v", left, due)
		}
		if i < 80 {
			delete(table.hosts, h.Name())
			tally.Change(h, nil)
		}
	}
	at := time.Unix(1e9, 0)
	s := tally.Resplit(table.all(), shape.Moment{Now: at})
	if len(s.Leaves) > 0 || len(s.Retired) == 0 || !s.Retired[0].Since.Equal(at) {
		t.Errorf("%d leaves, %d retired", len(s.Leaves), len(s.Retired))
	}
}

func TestATableThatIsNoLongerRecognisableIsDividedAnew(t *testing.T) {
	table := wide(t, 100, 100)
	s := fresh(t, table, shape.Options{Shards: 20, Duplication: 2})
	tally := shape.Count(s, table.shell, table.all())
	for _, h := range slices.Collect(table.all())[:80] {
		delete(table.hosts, h.Name())
		tally.Change(h, nil)
	}
	next := tally.Resplit(table.all(), shape.Moment{Now: time.Unix(1e9, 0)})
	if len(next.Leaves) != 20 || len(next.Retired) != len(s.Leaves) || next.Leaves[0].ID != s.Next {
		t.Errorf("%d leaves from ID %d on, %d retired", len(next.Leaves), next.Leaves[0].ID, len(next.Retired))
	}
}

func TestASplitInheritsTheLeavesOfOthersOnce(t *testing.T) {
	one := &shape.Split{Leaves: []shape.Leaf{{ID: 1}, {ID: 2, Host: "m"}}, Next: 3}
	since := time.Unix(5, 0)
	other := &shape.Split{
		Leaves:  []shape.Leaf{{ID: 3}, {ID: 4, Host: "g"}},
		Retired: []shape.Retired{{ID: 2, Area: shape.Area{HostFrom: "m"}}, {ID: 5, Area: shape.Area{HostTo: "c"}, Since: since}},
		Next:    6,
	}
	now := time.Unix(9, 0)
	heir := one.Inherit(shape.Moment{Now: now}, other)
	want := []shape.Retired{
		{ID: 3, Area: shape.Area{HostTo: "g"}, Since: now},
		{ID: 4, Area: shape.Area{HostFrom: "g"}, Since: now},
		{ID: 5, Area: shape.Area{HostTo: "c"}, Since: since},
	}
	if !slices.Equal(heir.Retired, want) || !slices.Equal(heir.Leaves, one.Leaves) || heir.Next != 6 || len(one.Retired) > 0 {
		t.Errorf("it became %+v", heir)
	}
	if heir.Inherit(shape.Moment{}, other) != heir || one.Inherit(shape.Moment{}) != one {
		t.Error("what adds nothing made another split")
	}
}
