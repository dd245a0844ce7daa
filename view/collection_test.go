package view

import (
	"slices"
	"testing"
)

func TestTheWildcardIsNotForXDSTPNames(t *testing.T) {
	var interner Interner
	sub := interner.Of(true, []string{urns + "foo/*", urns + "bar/x"})
	for name, want := range map[string]bool{
		"anything": true, urns + "foo/a": true, urns + "foo/a/b": false, urns + "foo/a?k=1": false, urns + "bar/x": true, urns + "bar/y": false,
	} {
		if got := sub.Contains(name); got != want {
			t.Errorf("%s: %t", name, got)
		}
	}
	if got := sub.Collections(); !slices.Equal(got, []string{urns + "foo/*"}) {
		t.Errorf("collections %q", got)
	}
	less := interner.With(sub, false, nil, []string{urns + "foo/*"})
	if less.Contains(urns+"foo/a") || len(less.Collections()) > 0 {
		t.Error("a collection that was taken out is still there")
	}
}
