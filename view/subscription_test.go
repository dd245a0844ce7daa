package view

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestEqualSetsAreOneSubscription(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var interner Interner
		names := rapid.SliceOf(rapid.StringN(0, 3, 3)).Draw(t, "names")
		shuffled := rapid.Permutation(names).Draw(t, "shuffled")
		a := interner.Of(true, names)
		b := interner.Of(true, nil)
		for _, name := range shuffled {
			grown := interner.With(b, true, []string{name}, nil)
			interner.Release(b)
			b = grown
		}
		if a != b {
			t.Fatalf("%q and %q are two sets", a.Names(), b.Names())
		}
		if other := interner.Of(false, names); other == a {
			t.Fatal("the wildcard makes no difference")
		} else {
			interner.Release(other)
		}
		for _, name := range names {
			if !a.Named(name) {
				t.Fatalf("%q is missing", name)
			}
		}
		interner.Release(a)
		interner.Release(b)
		if n := interner.Names(); n != 0 || len(interner.sets) != 0 {
			t.Fatalf("%d names are left after all was released", n)
		}
	})
}

func TestASetThatManyHoldCountsOnce(t *testing.T) {
	var interner Interner
	for range 1000 {
		interner.Of(false, []string{"a", "b"})
	}
	if n := interner.Names(); n != 2 {
		t.Errorf("%d names, want 2", n)
	}
}

func TestNamesAreTakenOut(t *testing.T) {
	var interner Interner
	s := interner.With(interner.Of(false, []string{"a", "b", "c"}), false, []string{"d", "a"}, []string{"b", "phantom"})
	if want := []string{"a", "c", "d"}; !slices.Equal(s.Names(), want) {
		t.Errorf("%q, want %q", s.Names(), want)
	}
}
