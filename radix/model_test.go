package radix_test

import (
	"crypto/sha256"
	"maps"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/deltaplane/deltaplane/radix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// text is a value that is its own content.
type text string

func (t text) Sum() [32]byte { return sha256.Sum256([]byte(t)) }

// keys draws from few bytes, so that keys are often prefixes of each other.
var keys = rapid.StringOfN(rapid.RuneFrom([]rune("\x00ab\u00ff")), 0, 6, -1)

var values = rapid.Map(rapid.IntRange(0, 3), func(i int) text { return text(strings.Repeat("v", i)) })

// build is the tree with a map's content, put in the order that rapid draws.
func build(t *rapid.T, m map[string]text) radix.Tree[text] {
	x := radix.Tree[text]{}.Txn()
	for _, k := range rapid.Permutation(slices.Sorted(maps.Keys(m))).Draw(t, "order") {
		x.Put(k, m[k])
	}
	return x.Commit()
}

// under is the part of a map below a prefix.
func under(m map[string]text, p string) map[string]text {
	out := map[string]text{}
	for k, v := range m {
		if strings.HasPrefix(k, p) {
			out[k] = v
		}
	}
	return out
}

// compare checks every way to read a tree against a map.
func compare(t *rapid.T, tree radix.Tree[text], want map[string]text) {
	if got := maps.Collect(tree.All()); !maps.Equal(got, want) {
		t.Fatalf("All is %q, want %q", got, want)
	}
	if tree.Len() != len(want) {
		t.Fatalf("Len is %d, want %d", tree.Len(), len(want))
	}
	if tree.Hash().IsZero() != (len(want) == 0) {
		t.Fatalf("Hash of %d entries is %v", len(want), tree.Hash())
	}
	probe := keys.Draw(t, "probe")
	got, ok := tree.Get(probe)
	if v, has := want[probe]; got != v || ok != has {
		t.Fatalf("Get(%q) is %q, %v; want %q, %v", probe, got, ok, v, has)
	}
	var order []string
	for k, v := range tree.Prefix(probe) {
		if v != want[k] {
			t.Fatalf("Prefix(%q) yields %q for %q, want %q", probe, v, k, want[k])
		}
		order = append(order, k)
	}
	if sorted := slices.Sorted(maps.Keys(under(want, probe))); !slices.Equal(order, sorted) {
		t.Fatalf("Prefix(%q) yields %q, want %q", probe, order, sorted)
	}
}

func TestATreeBehavesLikeAMapAndOldVersionsStay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type version struct {
			tree radix.Tree[text]
			want map[string]text
		}
		live := []version{{want: map[string]text{}}}
		for range rapid.IntRange(1, 20).Draw(t, "commits") {
			base := rapid.SampledFrom(live).Draw(t, "base")
			want, x := maps.Clone(base.want), base.tree.Txn()
			for range rapid.IntRange(0, 12).Draw(t, "operations") {
				key := keys.Draw(t, "key")
				switch rapid.IntRange(0, 3).Draw(t, "operation") {
				case 0, 1:
					want[key] = values.Draw(t, "value")
					x.Put(key, want[key])
				case 2:
					_, had := want[key]
					delete(want, key)
					if x.Delete(key) != had {
						t.Fatalf("Delete(%q) reports %v", key, !had)
					}
				case 3:
					compare(t, x.Commit(), want)
				}
				got, ok := x.Get(key)
				if v, has := want[key]; got != v || ok != has || x.Len() != len(want) {
					t.Fatalf("after a change of %q: Get is %q, %v and Len %d; want %q, %v and %d", key, got, ok, x.Len(), v, has, len(want))
				}
			}
			live = append(live, version{x.Commit(), want})
		}
		for _, v := range live {
			compare(t, v.tree, v.want)
			if again := build(t, v.want); again.Hash() != v.tree.Hash() {
				t.Fatalf("the hash of %q depends on history", v.want)
			}
		}
	})
}

func TestHashesAgreeExactlyWhenContentsDo(t *testing.T) {
	contents := rapid.MapOfN(keys, values, 0, 8)
	rapid.Check(t, func(t *rapid.T) {
		a, b := contents.Draw(t, "a"), contents.Draw(t, "b")
		if rapid.Bool().Draw(t, "near") {
			b = maps.Clone(a)
			b[keys.Draw(t, "key")] = values.Draw(t, "value")
		}
		ta, tb := build(t, a), build(t, b)
		if same := ta.Hash() == tb.Hash(); same != maps.Equal(a, b) {
			t.Fatalf("hashes of %q and %q agree: %v", a, b, same)
		}
		p := keys.Draw(t, "prefix")
		if same := ta.PrefixHash(p) == tb.PrefixHash(p); same != maps.Equal(under(a, p), under(b, p)) {
			t.Fatalf("hashes of %q and %q under %q agree: %v", a, b, p, same)
		}
		stripped := map[string]text{}
		for k, v := range under(a, p) {
			stripped[k[len(p):]] = v
		}
		if build(t, stripped).Hash() != ta.PrefixHash(p) {
			t.Fatalf("PrefixHash(%q) of %q is not the hash of a tree with what is under it", p, a)
		}
	})
}

func TestTheBeginningOfATreeIsTheTreeOfItsFirstKeys(t *testing.T) {
	contents := rapid.MapOfN(keys, values, 0, 12)
	rapid.Check(t, func(t *rapid.T) {
		all, key := contents.Draw(t, "all"), keys.Draw(t, "key")
		tree := build(t, all)
		hash, last := tree.Hash(), ""
		for k := range all {
			last = max(last, k)
		}
		if got, ok := tree.Last(); got != last || ok != (len(all) > 0) {
			t.Fatalf("the last of %q is %q, %v", all, got, ok)
		}
		before := tree.Before(key)
		compare(t, tree, all)
		maps.DeleteFunc(all, func(k string, _ text) bool { return k >= key })
		compare(t, before, all)
		if before.Hash() != build(t, all).Hash() || tree.Hash() != hash {
			t.Fatalf("the beginning before %q has another hash than a tree of %q, or the whole has changed", key, all)
		}
	})
}

func TestDiffIsExactlyWhatDiffersAndLeadsThere(t *testing.T) {
	contents := rapid.MapOfN(keys, values, 0, 12)
	rapid.Check(t, func(t *rapid.T) {
		a, b := contents.Draw(t, "a"), contents.Draw(t, "b")
		ta, tb := build(t, a), build(t, b)
		p := rapid.OneOf(rapid.Just(""), keys).Draw(t, "prefix")
		var want, got []string
		union := maps.Clone(a)
		maps.Copy(union, b)
		for _, k := range slices.Sorted(maps.Keys(under(union, p))) {
			old, hasOld := a[k]
			v, hasNew := b[k]
			if old != v || hasOld != hasNew {
				want = append(want, k)
			}
		}
		for c := range radix.DiffPrefix(ta, tb, p) {
			got = append(got, c.Key)
			old, hasOld := a[c.Key]
			v, hasNew := b[c.Key]
			if c.Old != old || c.New != v || c.HasOld != hasOld || c.HasNew != hasNew {
				t.Fatalf("change %+v; want %q, %v → %q, %v", c, old, hasOld, v, hasNew)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("DiffPrefix(%q, %q, %q) lists %q, want %q", a, b, p, got, want)
		}
		if ta.Apply(radix.Diff(ta, tb)).Hash() != tb.Hash() {
			t.Fatalf("Diff(%q, %q) does not lead to the new tree", a, b)
		}
	})
}
