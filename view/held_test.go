package view

import (
	"slices"
	"testing"
)

func TestWhoAsksForEverythingAnewIsToldToRemoveOnlyWhatItHad(t *testing.T) {
	var interner Interner
	all := interner.Of(true, nil)
	target := table(cluster(t, "had", 0), cluster(t, "held-back", 0))
	first := Diff(Nothing(), target, all, Limits{Hold: func(s Step) bool { return s.Name == "held-back" }})
	if len(first.Upserts) != 1 {
		t.Fatalf("%d resources went out, want only \"had\"", len(first.Upserts))
	}
	out := Diff(first.After.Doubted(all), Table{}, all, Limits{Removals: true})
	if got := slices.Concat(out.Removed, out.Missing); !slices.Equal(got, []string{"had"}) {
		t.Errorf("told to remove %v, had only \"had\"", got)
	}
}

func TestWhatAClientHadBeforeItRefusedCountsAsKept(t *testing.T) {
	var interner Interner
	all := interner.Of(true, nil)
	before := Holding(table(cluster(t, "a", 0)), Table{})
	out := Diff(before, table(cluster(t, "a", 1)), all, Limits{})
	refused := out.After.Unknown(slices.Values([]string{"a"}), before)
	var kept []string
	for r := range refused.Kept(Table{}) {
		kept = append(kept, r.Name())
	}
	if !slices.Equal(kept, []string{"a"}) {
		t.Errorf("%v kept, want the old \"a\", which the client may still have", kept)
	}
}
