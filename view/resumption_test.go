package view

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"pgregory.net/rapid"
)

// entry is one of a protobuf map of strings.
func entry(name, version string) []byte {
	b := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), name)
	return protowire.AppendString(protowire.AppendTag(b, 2, protowire.BytesType), version)
}

func TestAResumptionIsWhatItsEntriesSay(t *testing.T) {
	version := rapid.SampledFrom([]string{"", "1", fmt.Sprintf("%064x", 1), fmt.Sprintf("%064x", 2), fmt.Sprintf("%063xg", 1)})
	lists := rapid.SliceOfN(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) [2]string {
		return [2]string{rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name"), version.Draw(t, "version")}
	}), 1, 4), 1, 6)
	rapid.Check(t, func(t *rapid.T) {
		var r Resumptions
		for _, list := range lists.Draw(t, "lists") {
			var entries [][]byte
			versions := map[string]string{}
			for _, e := range list {
				entries = append(entries, entry(e[0], e[1]))
				versions[e[0]] = e[1]
			}
			got, ok := r.Of(slices.Values(entries))
			want := Resumed(versions)
			if !ok || !got.fresh || len(got.marks.byName) != len(want.marks.byName) {
				t.Fatalf("of %v: %v %+v", list, ok, got)
			}
			for name, m := range want.marks.byName {
				if got.marks.byName[name] != m {
					t.Fatalf("of %v: %s is %+v, want %+v", list, name, got.marks.byName[name], m)
				}
			}
		}
	})
}

func TestThoseWhoComeBackWithTheSameInAnyOrderShareIt(t *testing.T) {
	var r Resumptions
	one, two := entry("a", fmt.Sprintf("%064x", 1)), entry("b", "x")
	first, _ := r.Of(slices.Values([][]byte{one, two}))
	second, _ := r.Of(slices.Values([][]byte{two, one}))
	if first.Key() != second.Key() {
		t.Error("not shared")
	}
	if allocated := testing.AllocsPerRun(10, func() { r.Of(slices.Values([][]byte{two, one})) }); allocated > 10 {
		t.Errorf("%v allocations for a list that is known", allocated)
	}
	other, _ := r.Of(slices.Values([][]byte{one, entry("b", fmt.Sprintf("%064x", 2))}))
	if other.Key() == first.Key() {
		t.Error("another list is taken for the same")
	}
	// A hash alone proves nothing.
	third := slices.Values([][]byte{one, entry("c", "x")})
	r.young[r.keyOf(third)] = kept{held: first}
	if held, _ := r.Of(third); held.Key() == first.Key() {
		t.Error("a list of the same hash is taken for the same")
	}
}

func TestAListThatIsStillSaidIsNotForgotten(t *testing.T) {
	var r Resumptions
	list := slices.Values([][]byte{entry("a", fmt.Sprintf("%064x", 1))})
	first, _ := r.Of(list)
	for age := range 4 { // one for each version, while clients are still coming back
		r.Age()
		if again, _ := r.Of(list); again.Key() != first.Key() {
			t.Fatalf("not shared after %d versions", age+1)
		}
	}
	r.Age()
	r.Age()
	if again, _ := r.Of(list); again.Key() == first.Key() {
		t.Error("kept although nobody says it")
	}
}

func TestThoseWhoComeBackAtTheSameTimeShareWhatTheyHold(t *testing.T) {
	var r Resumptions
	list := [][]byte{entry("a", "x"), entry("b", "y")}
	var other Held
	passes := 0
	held, _ := r.Of(func(yield func([]byte) bool) {
		if passes++; passes == 2 { // it was not known, and somebody else is faster
			other, _ = r.Of(slices.Values(list))
		}
		slices.Values(list)(yield)
	})
	if passes < 2 || held.Key() != other.Key() {
		t.Error("not shared")
	}
}

func TestListsOfHugeNamesAreNotKeptForOthers(t *testing.T) {
	var r Resumptions
	kept := 0
	for i := range 100 {
		r.Of(slices.Values([][]byte{entry(fmt.Sprint(i, strings.Repeat("x", 2*maxResumedBytes/100)), "1")}))
		kept = max(kept, len(r.young))
	}
	if kept == 0 || kept > 50 {
		t.Errorf("%d lists of a fiftieth of the memory are kept", kept)
	}
	if r.Of(slices.Values([][]byte{entry("y"+strings.Repeat("x", maxResumedBytes), "1")})); r.bytes > maxResumedBytes {
		t.Errorf("%d bytes are kept", r.bytes)
	}
}

func TestListsWithNamesOfManyFormsAreLeftToOthers(t *testing.T) {
	var r Resumptions
	for _, bad := range [][]byte{entry("xdstp://a/envoy.config.cluster.v3.Cluster/c?b=1&a=2", ""), entry("\xff", ""), {0xff}} {
		if _, ok := r.Of(slices.Values([][]byte{entry("a", ""), bad})); ok {
			t.Errorf("%q is taken", bad)
		}
	}
}
