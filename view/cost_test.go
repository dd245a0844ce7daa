//go:build !invariants

package view

import (
	"fmt"
	"testing"

	"github.com/deltaplane/deltaplane/resource"
)

// Not with the checks of invariants: they go through whole differences.
func TestAChangeOfACollectionCostsTheSameBesideFewAndMany(t *testing.T) {
	var interner Interner
	body := cluster(t, "c", 0)
	named := func(name string, n byte) *Resource {
		return of(resource.FromStored(resource.Cluster, name, resource.Digest{n}, 0, body.Segments()))
	}
	cost := func(others int) float64 {
		x := Table{}.Txn()
		for i := range others {
			name := fmt.Sprintf(urns+"other-%d/a", i)
			x.Put(name, named(name, 1))
		}
		x.Put(urns+"foo/a", named(urns+"foo/a", 1))
		base := x.Commit()
		x = base.Txn()
		for i := range others { // all others change
			name := fmt.Sprintf(urns+"other-%d/a", i)
			x.Put(name, named(name, 2))
		}
		x.Put(urns+"foo/b", named(urns+"foo/b", 1))
		target := x.Commit()
		sub := interner.Of(false, []string{urns + "foo/*"})
		if out := Diff(Holding(base, Table{}), target, sub, Limits{}); len(out.Upserts) != 1 || out.Upserts[0].Name() != urns+"foo/b" {
			t.Fatalf("%d others: %+v", others, out.Change)
		}
		return testing.AllocsPerRun(10, func() { Diff(Holding(base, Table{}), target, sub, Limits{}) })
	}
	few, many := cost(10), cost(5_000)
	if many > 2*few {
		t.Errorf("%v allocations beside 10 changes that do not concern it, %v beside 5,000", few, many)
	}
}
