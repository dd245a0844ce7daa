package radix

import (
	"sync"
	"sync/atomic"
	"testing"
)

func TestReadersNeedNoLockWhileAWriterGoesOn(t *testing.T) {
	const size, commits, readers = 200, 200, 4
	type version struct {
		tree Tree[number]
		sum  int
	}
	var latest atomic.Pointer[version]
	latest.Store(&version{entries(size), size * (size - 1) / 2})
	var done atomic.Bool
	var wg sync.WaitGroup
	for range readers {
		wg.Go(func() {
			old := latest.Load()
			for !done.Load() {
				v := latest.Load()
				sum := 0
				for _, n := range v.tree.All() {
					sum += int(n)
				}
				changes := 0
				for c := range Diff(old.tree, v.tree) {
					changes += int(c.New) - int(c.Old)
				}
				if sum != v.sum || changes != v.sum-old.sum {
					t.Errorf("a reader saw half of a commit: sum %d, want %d; changes %d, want %d", sum, v.sum, changes, v.sum-old.sum)
					return
				}
				old = v
			}
		})
	}
	for i := range commits {
		v := latest.Load()
		x, sum := v.tree.Txn(), v.sum
		for j := range 5 {
			k := (i*7 + j*31) % size
			n, _ := x.Get(entry(k))
			if j == 4 {
				x.Delete(entry(k))
				sum -= int(n)
			} else {
				x.Put(entry(k), number(i))
				sum += i - int(n)
			}
		}
		latest.Store(&version{x.Commit(), sum})
	}
	done.Store(true)
	wg.Wait()
}
