package deltaplane

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
)

var tableKey = Key{DefaultNamespace, resource.Route, "table"}

// hostsYAML are the names of hosts for routeYAML: from first on, n of them.
func hostsYAML(prefix string, n int) []string {
	var hosts []string
	for i := range n {
		hosts = append(hosts, fmt.Sprintf("%s%04d=c", prefix, i))
	}
	return hosts
}

func splitIn(s *Snapshot) *shape.Split {
	e, ok := s.Get(tableKey)
	if !ok || len(e.Splits) == 0 {
		return nil
	}
	return e.Splits[0]
}

func leaves(s *Snapshot) int {
	if split := splitIn(s); split != nil {
		return len(split.Leaves)
	}
	return 0
}

func TestATableIsSplitInTheCommitThatMakesItLarge(t *testing.T) {
	e := startEtcd(t)
	s := open(t, Config{Endpoints: []string{e.url}})
	apply(t, s, routeYAML("table", hostsYAML("h", shape.Threshold-1)...), Options{})
	if split := splitIn(s.Latest()); split != nil {
		t.Fatalf("%d routes are split into %d leaves", shape.Threshold-1, len(split.Leaves))
	}
	p := apply(t, s, hostYAML("table/one-more", "c"), Options{})
	if got := summary(p); got != "+VirtualHost/table/one-more" {
		t.Errorf("the plan is %q", got)
	}
	first := splitIn(s.Latest())
	if first == nil || len(first.Leaves) < 20 {
		t.Fatalf("the split is %+v", first)
	}

	// Replicas have the same, those that follow and those that start later.
	replica := open(t, Config{Endpoints: []string{e.url}})
	if got := splitIn(replica.Latest()); splitSum(got) != splitSum(first) {
		t.Errorf("a replica has %d leaves, want %d", len(got.Leaves), len(first.Leaves))
	}

	// Whoever looks at the history sees what was asked for alone.
	commits, err := s.History(t.Context(), 0, 1)
	if err != nil || len(commits[0].Changes) != 1 {
		t.Errorf("the history has %+v, error %v", commits, err)
	}
	if _, err := s.Revert(t.Context(), 2, Options{}); err != nil {
		t.Errorf("reverting: %v", err)
	}
	if got := splitIn(s.Latest()); splitSum(got) != splitSum(first) {
		t.Error("reverting the commit changed the split")
	}
}

func TestASplitStaysUntilALeafHasOutgrownItsBound(t *testing.T) {
	s := open(t, Config{})
	apply(t, s, routeYAML("table", hostsYAML("h", 800)...), Options{})
	first := splitIn(s.Latest())
	for i := range 20 {
		apply(t, s, hostYAML(fmt.Sprintf("table/h%04d-x", i*37), "c"), Options{})
		apply(t, s, hostYAML(fmt.Sprintf("table/h%04d", i*11), "other"), Options{})
	}
	apply(t, s, routeYAML("table", hostsYAML("h", 800)...), Options{}) // the shell, too
	if now := splitIn(s.Latest()); now != first {
		t.Errorf("edits all over the table made %d leaves of %d", len(now.Leaves), len(first.Leaves))
	}
	var crowd strings.Builder
	for _, name := range hostsYAML("h0100-", 60) {
		crowd.WriteString(hostYAML("table/"+strings.TrimSuffix(name, "=c"), "c"))
	}
	apply(t, s, crowd.String(), Options{})
	now := splitIn(s.Latest())
	if len(now.Leaves) <= len(first.Leaves) || len(now.Retired) == 0 || len(now.Retired) > 3 {
		t.Fatalf("a crowd in one place made %d leaves of %d and retired %d", len(now.Leaves), len(first.Leaves), len(now.Retired))
	}
	for _, l := range first.Leaves {
		retired := slices.ContainsFunc(now.Retired, func(r shape.Retired) bool { return r.ID == l.ID })
		if kept := slices.Contains(now.Leaves, l); kept == retired {
			t.Errorf("leaf %d: kept %t, retired %t", l.ID, kept, retired)
		}
	}
}

func TestWhatUsersSayOfATableCounts(t *testing.T) {
	s := open(t, Config{})
	apply(t, s, routeYAML("table", hostsYAML("h", 600)...), Options{})
	auto := leaves(s.Latest())
	say := func(yaml string) { apply(t, s, "---\n"+yaml, Options{}) }
	say("'@type': type.googleapis.com/deltaplane.v1.Shape\nname: table\nshards: 4\n")
	if n := leaves(s.Latest()); n < 2 || n > 8 || n >= auto {
		t.Errorf("of 4 shards there are %d leaves", n)
	}
	if n := len(splitIn(s.Latest()).Retired); n != auto {
		t.Errorf("%d of %d leaves are retired", n, auto)
	}
	say("'@type': type.googleapis.com/deltaplane.v1.Shape\nname: table\nmode: OFF\n")
	if n := leaves(s.Latest()); n != 0 {
		t.Errorf("a table that is to go out as written has %d leaves", n)
	}
	apply(t, s, hostYAML("table/new", "c"), Options{})
	if n := leaves(s.Latest()); n != 0 {
		t.Errorf("a change of it made %d leaves", n)
	}
	if _, err := s.Delete(t.Context(), []Key{{DefaultNamespace, resource.Shape, "table"}}, false, Options{}); err != nil {
		t.Fatal(err)
	}
	if n := leaves(s.Latest()); n < auto/2 {
		t.Errorf("without a Shape there are %d leaves, at first there were %d", n, auto)
	}
	say("'@type': type.googleapis.com/deltaplane.v1.Fleet\nname: all\nselectors: [{}]\nnamespaces: [default]\nshape: {shards: 4}\n")
	if n := leaves(s.Latest()); n < 2 || n > 8 {
		t.Errorf("of the fleet's 4 shards there are %d leaves", n)
	}
}

func TestATableThatComesBackHasOtherLeaves(t *testing.T) {
	s := open(t, Config{})
	table := routeYAML("table", hostsYAML("h", 600)...)
	apply(t, s, table, Options{})
	before := splitIn(s.Latest())
	if _, err := s.Delete(t.Context(), []Key{tableKey}, false, Options{}); err != nil {
		t.Fatal(err)
	}
	apply(t, s, table, Options{})
	if after := splitIn(s.Latest()); after.Leaves[0].ID < before.Next {
		t.Errorf("leaf %d has been used before: the next was %d", after.Leaves[0].ID, before.Next)
	}
}

func TestNamesOfLeavesAreRefused(t *testing.T) {
	s := open(t, Config{})
	_, err := s.Apply(t.Context(), documents(t, routeYAML(shape.Name("table", 1), "h=c")), false, Options{})
	if err == nil || !strings.Contains(err.Error(), "choose another") {
		t.Errorf("error %v", err)
	}
}
