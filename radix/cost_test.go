package radix

import (
	"crypto/sha256"
	"fmt"
	"testing"
)

// number is a value for trees of known size.
type number int

func (n number) Sum() [32]byte { return sha256.Sum256(fmt.Append(nil, int(n))) }

// entries is a tree of n keys like those of a large gateway.
func entries(n int) Tree[number] {
	x := Tree[number]{}.Txn()
	for i := range n {
		x.Put(entry(i), number(i))
	}
	return x.Commit()
}

func entry(i int) string {
	return fmt.Sprintf("default\x00envoy.config.route.v3.VirtualHost\x00edge/%07d.example", i)
}

// visits counts the places that Diff compares, and the changes it lists.
func visits(a, b Tree[number], p string) (visited, changes int) {
	d := differ[number]{path: []byte(p), yield: func(Change[number]) bool { changes++; return true }}
	d.walk(a.seek(p), b.seek(p))
	return d.visited, changes
}

// depth is the number of nodes from the root to key, and the sum of their
// fan-outs.
func depth(t Tree[number], key string) (nodes, fanouts int) {
	for n := t.root; ; {
		nodes, fanouts = nodes+1, fanouts+len(n.children)
		if key == "" {
			return nodes, fanouts
		}
		i, _ := n.find(key[0])
		n = n.children[i]
		key = key[len(n.prefix):]
	}
}

func TestDiffVisitsChangesTimesDepthAndNoMoreInLargerTrees(t *testing.T) {
	for _, n := range []int{1_000, 10_000, 100_000, 1_000_000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			a := entries(n)
			if got, changes := visits(a, a, ""); got != 1 || changes != 0 {
				t.Errorf("a tree against itself: %d places, %d changes; want 1, 0", got, changes)
			}
			changed := a.Txn()
			bound := 0
			for k := 1; k <= 10; k++ {
				key := entry(n / 11 * k)
				changed.Put(key, -1)
				nodes, fanouts := depth(a, key)
				if nodes > 9 || fanouts > 9*10 {
					t.Fatalf("the path to an entry has %d nodes with %d children; seven digits allow 9 and 90", nodes, fanouts)
				}
				bound += fanouts + 1
				b := changed.Commit()
				got, changes := visits(a, b, "")
				if changes != k || got > bound {
					t.Errorf("%d changes: %d places and %d changes; want at most %d and %d", k, got, changes, bound, k)
				}
			}
			b := a.Put(entry(n/2)+"/new", 0).Delete(entry(n / 3))
			_, left := depth(a, entry(n/2))
			_, right := depth(a, entry(n/3))
			if got, changes := visits(a, b, ""); changes != 2 || got > left+right+3 {
				t.Errorf("one added, one removed: %d places and %d changes; want at most %d and 2", got, changes, left+right+3)
			}
			if got, changes := visits(a, b, "default\x00envoy.config.cluster.v3.Cluster\x00"); got != 1 || changes != 0 {
				t.Errorf("under another prefix: %d places, %d changes; want 1, 0", got, changes)
			}
		})
	}
}

func TestDiffStopsAtEqualHashesOfTreesThatShareNothing(t *testing.T) {
	a, b := entries(10_000), entries(10_000)
	if got, changes := visits(a, b, ""); got != 1 || changes != 0 {
		t.Errorf("equal trees: %d places, %d changes; want 1, 0", got, changes)
	}
	_, fanouts := depth(a, entry(5_000))
	if got, changes := visits(a, b.Put(entry(5_000), -1), ""); got > fanouts+1 || changes != 1 {
		t.Errorf("one change: %d places, %d changes; want at most %d, 1", got, changes, fanouts+1)
	}
}

func TestVersionsShareEveryNodeThatDidNotChange(t *testing.T) {
	a := entries(10_000)
	x := a.Txn()
	x.Put(entry(5_000), -1)
	x.Put(entry(8_888), 8_888) // as it was
	x.Delete("default\x00none")
	b := x.Commit()
	seen := map[*node[number]]bool{}
	var mark func(n *node[number], fresh *int)
	mark = func(n *node[number], fresh *int) {
		if !seen[n] {
			seen[n] = true
			*fresh++
		}
		for _, c := range n.children {
			mark(c, fresh)
		}
	}
	var all, fresh int
	mark(a.root, &all)
	mark(b.root, &fresh)
	if nodes, _ := depth(a, entry(5_000)); fresh != nodes {
		t.Errorf("one change made %d new nodes among %d, want %d: those on its path", fresh, all, nodes)
	}
}

func TestWhatChangesNothingGivesTheSameTree(t *testing.T) {
	a := entries(1_000)
	if b := a.Put(entry(7), 7); b != a {
		t.Error("Put of an equal value made new nodes")
	}
	if b := a.Delete("default\x00none"); b != a {
		t.Error("Delete of a missing key made new nodes")
	}
	x := a.Txn()
	x.Put("new", 1)
	x.Put(entry(7), -1)
	x.Delete("new")
	x.Put(entry(7), 7)
	if b := x.Commit(); b != a {
		t.Error("a transaction that undoes itself made a new tree")
	}
	if b := entries(1).Delete(entry(0)); b != (Tree[number]{}) {
		t.Error("a tree without its last entry is not the zero tree")
	}
}

func TestIteratorsStopWhereTheLoopDoes(t *testing.T) {
	a, b := entries(1_000), Tree[number]{}
	n := 0
	for range a.All() {
		if n++; n == 3 {
			break
		}
	}
	d := differ[number]{yield: func(Change[number]) bool { n++; return false }}
	d.walk(a.seek(""), b.seek(""))
	if n != 4 {
		t.Errorf("loops that stop after 3 and 1 ran %d times", n)
	}
	if nodes, _ := depth(a, entry(0)); d.visited > nodes {
		t.Errorf("a Diff stopped at the first change visited %d places, want at most %d", d.visited, nodes)
	}
}
