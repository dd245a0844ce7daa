package radix_test

import (
	"maps"
	"testing"

	"github.com/deltaplane/deltaplane/radix"
)

// FuzzOperations reads its input as operations: a byte that says what, a byte
// for the key's length, the key.
func FuzzOperations(f *testing.F) {
	f.Add([]byte("\x00\x02ab\x00\x03abc\x01\x02ab\x02\x00"))
	f.Add([]byte("\x00\x00\x00\x01\x00\x00\x02\x00\x00\x01\x01\x00\x01\x00"))
	f.Fuzz(func(t *testing.T, in []byte) {
		first := radix.Tree[text]{}.Put("ab", "1").Put("abc", "2").Put("", "3")
		want, x := maps.Collect(first.All()), first.Txn()
		for len(in) >= 2 {
			what, n := in[0], min(int(in[1]), len(in)-2)
			key := string(in[2 : 2+n])
			in = in[2+n:]
			switch what % 3 {
			case 0:
				want[key] = text(rune('0' + what%7))
				x.Put(key, want[key])
			case 1:
				x.Delete(key)
				delete(want, key)
			case 2:
				x.Commit()
			}
		}
		tree := x.Commit()
		if got := maps.Collect(tree.All()); !maps.Equal(got, want) || tree.Len() != len(want) {
			t.Fatalf("tree of %d holds %q, want %q", tree.Len(), got, want)
		}
		var fresh radix.Tree[text]
		for k, v := range want {
			fresh = fresh.Put(k, v)
		}
		if tree.Hash() != fresh.Hash() {
			t.Fatalf("the hash of %q depends on history", want)
		}
		if first.Apply(radix.Diff(first, tree)).Hash() != tree.Hash() {
			t.Fatalf("the difference does not lead to %q", want)
		}
		if first.Len() != 3 {
			t.Fatal("the tree that the transaction started from has changed")
		}
	})
}
