package view

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
)

const urns = "xdstp://auth/envoy.config.cluster.v3.Cluster/"

// client applies outcomes as an xDS client does.
type client map[string]resource.Digest

func (c client) apply(o Outcome) {
	for _, u := range o.Upserts {
		c[u.Name()] = u.Digest()
	}
	for _, name := range slices.Concat(o.Removed, o.Missing) {
		delete(c, name)
	}
}

// TestDiffBringsAnyClientToTheTarget walks through targets with random limits
// and losses of knowledge, and then lets everything out.
func TestDiffBringsAnyClientToTheTarget(t *testing.T) {
	pool := [][]*resource.Resource{}
	names := []string{"c0", "c1", "c2", "c3", "c4", urns + "foo/a", urns + "foo/b", urns + "foo/a?k=1", urns + "foo/deep/a"}
	for _, name := range names {
		var versions []*resource.Resource
		for n := range 3 {
			versions = append(versions, cluster(t, name, n))
		}
		pool = append(pool, versions)
	}
	rapid.Check(t, func(t *rapid.T) {
		var interner Interner
		sub := someSubscription(t, &interner)
		c := client{}
		held := Nothing()
		if rapid.Bool().Draw(t, "resumes") {
			versions := map[string]string{"gone": "opaque"}
			for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, len(pool)-1), 0, 5, rapid.ID[int]).Draw(t, "held") {
				r := pool[i][rapid.IntRange(0, 2).Draw(t, "version")]
				versions[r.Name()] = r.Digest().String()
			}
			for name := range versions {
				if sub.Contains(name) {
					c[name] = resource.Digest{}
				}
			}
			held = Resumed(versions)
		}
		var target Table
		for range rapid.IntRange(1, 6).Draw(t, "steps") {
			target = randomTable(t, pool)
			limits := Limits{
				Removals: rapid.Bool().Draw(t, "removals"),
				Bytes:    rapid.SampledFrom([]int{0, 1, 150}).Draw(t, "bytes"),
			}
			if rapid.Bool().Draw(t, "holds") {
				limits.Hold = func(s Step) bool { return s.Name == "c1" }
			}
			before := held
			out := Diff(held, target, sub, limits)
			checkOutcome(t, out, target, sub)
			held = out.After
			if rapid.IntRange(0, 3).Draw(t, "refused") == 0 {
				content := func(yield func(string) bool) {
					for _, u := range out.Upserts {
						if !yield(u.Name()) {
							return
						}
					}
					for _, name := range slices.Concat(out.Removed, out.Missing) {
						if !yield(name) {
							return
						}
					}
				}
				held = held.Unknown(content, before)
			} else {
				c.apply(out)
			}
			if rapid.IntRange(0, 3).Draw(t, "asks") == 0 {
				held = held.Asked(Expand([]string{"c0", urns + "foo/*"}, target), sub)
			}
		}
		out := Diff(held, target, sub, Limits{Removals: true})
		c.apply(out)
		if again := Diff(out.After, target, sub, Limits{Removals: true}); !again.Empty() || !out.After.InSync(target) {
			t.Fatalf("after everything was let out there is still %+v", again.Change)
		}
		for name := range c { // what is left from before knows no digest
			if r, ok := target.Get(name); ok && c[name] == (resource.Digest{}) {
				c[name] = r.Digest()
			}
		}
		if want := wantedOf(target, sub); !maps.Equal(c, want) {
			t.Fatalf("the client holds %v, should hold %v", slices.Sorted(maps.Keys(c)), slices.Sorted(maps.Keys(want)))
		}
	})
}

func someSubscription(t *rapid.T, interner *Interner) *Subscription {
	all := rapid.Bool().Draw(t, "wildcard")
	names := []string{"c0", "c1", "c2", "c9", urns + "foo/a", urns + "foo/*", urns + "foo/*?k=1", urns + "none/*"}
	asked := rapid.SliceOfN(rapid.SampledFrom(names), 1, 4).Draw(t, "names")
	if all && rapid.Bool().Draw(t, "nothing by name") {
		asked = nil
	}
	return interner.Of(all, asked)
}

func randomTable(t *rapid.T, pool [][]*resource.Resource) Table {
	var list []*resource.Resource
	for _, versions := range pool {
		if i := rapid.IntRange(0, 3).Draw(t, "version"); i < 3 {
			list = append(list, versions[i])
		}
	}
	return table(list...)
}

func wantedOf(target Table, sub *Subscription) client {
	c := client{}
	for name, r := range target.All() {
		if sub.Contains(name) {
			c[name] = r.Digest()
		}
	}
	return c
}

// checkOutcome checks what must hold of every response.
func checkOutcome(t *rapid.T, o Outcome, target Table, sub *Subscription) {
	seen := map[string]bool{}
	for _, u := range o.Upserts {
		if r, ok := target.Get(u.Name()); !ok || r.Digest() != u.Digest() || !sub.Contains(u.Name()) || seen[u.Name()] {
			t.Fatalf("upsert of %q: not wanted, not in the target, or twice", u.Name())
		}
		seen[u.Name()] = true
	}
	for _, name := range slices.Concat(o.Removed, o.Missing) {
		if _, ok := target.Get(name); ok || !sub.Contains(name) || seen[name] {
			t.Fatalf("removal of %q: still there, not wanted, or twice", name)
		}
		seen[name] = true
	}
}

func TestALargeFirstLoadInPartsSendsEachResourceOnceAndRemembersNoNames(t *testing.T) {
	var interner Interner
	x := Table{}.Txn()
	for i := range 1000 {
		name := fmt.Sprintf("c%04d", i)
		x.Put(name, of(cluster(t, name, i%7)))
	}
	target := x.Commit()
	held, got := Nothing(), client{}
	for parts := 0; !held.InSync(target); parts++ {
		out := Diff(held, target, interner.Of(true, nil), Limits{Bytes: 10 * target.Len()})
		for _, u := range out.Upserts {
			if _, twice := got[u.Name()]; twice || !u.New {
				t.Fatalf("part %d: %s again", parts, u.Name())
			}
		}
		if got.apply(out); len(out.Upserts) == 0 || out.After.Marked() > 0 || out.After.base.Len() != len(got) {
			t.Fatalf("part %d: %d resources, then %d of %d are held and %d marked", parts, len(out.Upserts), out.After.base.Len(), len(got), out.After.Marked())
		}
		held = out.After
	}
	if len(got) != target.Len() {
		t.Errorf("%d of %d", len(got), target.Len())
	}
}

func TestAClientInSyncCostsNothingToCompare(t *testing.T) {
	var interner Interner
	all := interner.Of(true, nil)
	for _, size := range []int{10, 1000} {
		x := Table{}.Txn()
		for i := range size {
			r := of(cluster(t, fmt.Sprintf("c%d", i), 0))
			x.Put(r.Name(), r)
		}
		target := x.Commit()
		held := Holding(target, Table{})
		if n := testing.AllocsPerRun(10, func() { Diff(held, target, all, Limits{}) }); n != 0 {
			t.Errorf("%d resources: %v allocations, want none", size, n)
		}
	}
}

func TestOneChangeCostsTheSameAmongFewAndMany(t *testing.T) {
	var interner Interner
	all := interner.Of(true, nil)
	cost := func(size int) float64 {
		x := Table{}.Txn()
		for i := range size {
			name := fmt.Sprintf("c%06d", i)
			x.Put(name, of(cluster(t, name, 1)))
		}
		base := x.Commit()
		target := base.Put("c000005", of(cluster(t, "c000005", 2)))
		return testing.AllocsPerRun(10, func() { Diff(Holding(base, Table{}), target, all, Limits{}) })
	}
	few, many := cost(100), cost(10_000)
	if many > 2*few {
		t.Errorf("%v allocations for one change among 100, %v among 10,000", few, many)
	}
}

func TestAnAliasAndTheNameAreOneEntry(t *testing.T) {
	var s store
	s.put("default", shell(t, "r", true, 0), false)
	s.put("default", host(t, "r/h", "c", "a.com", "b.com"), false)
	v := New(s.commit(), []string{"default"})
	var interner Interner
	sub := interner.Of(false, []string{"r/a.com", "r/b.com", "r/h", "r/unknown"})
	out := Diff(Nothing(), v.Scope(resource.VirtualHost, sub), sub, Limits{Scoped: true})
	if len(out.Upserts) != 1 || out.Upserts[0].Name() != "r/h" || !slices.Equal(out.Upserts[0].Aliases, []string{"r/a.com", "r/b.com"}) {
		t.Errorf("upserts %+v", out.Upserts)
	}
	if !slices.Equal(out.Missing, []string{"r/unknown"}) {
		t.Errorf("missing %q", out.Missing)
	}

	s.drop("default", resource.VirtualHost, "r/h")
	gone := Diff(out.After, v.At(s.commit()).Scope(resource.VirtualHost, sub), sub, Limits{Scoped: true, Removals: true})
	if !slices.Equal(gone.Removed, []string{"r/h"}) {
		t.Errorf("removed %q, want the host by its own name alone", gone.Removed)
	}
}

func TestAMovedDomainTakesTheOldHostAway(t *testing.T) {
	var s store
	s.put("default", shell(t, "r", true, 0), false)
	s.put("default", host(t, "r/old", "c", "a.com"), false)
	v := New(s.commit(), []string{"default"})
	var interner Interner
	sub := interner.Of(false, []string{"r/a.com"})
	first := Diff(Nothing(), v.Scope(resource.VirtualHost, sub), sub, Limits{Scoped: true})
	s.put("default", host(t, "r/old", "c", "other.com"), false)
	s.put("default", host(t, "r/new", "c", "a.com"), false)
	out := Diff(first.After, v.At(s.commit()).Scope(resource.VirtualHost, sub), sub, Limits{Scoped: true, Removals: true})
	if len(out.Upserts) != 1 || out.Upserts[0].Name() != "r/new" || !slices.Equal(out.Removed, []string{"r/old"}) {
		t.Errorf("upserts %v, removed %q: two hosts with one domain would be refused", out.Upserts, out.Removed)
	}
}

var _ radix.Value = (*Resource)(nil)
