package deltaplane

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/deltaplane/deltaplane/resource"
)

// flip is a change that sets a cluster to one of two contents in turn.
func flip(t testing.TB, name string) func(*Batch) error {
	a, b := cluster(t, name, 1), cluster(t, name, 2)
	i := 0
	return func(x *Batch) error {
		r := a
		if i++; i%2 == 0 {
			r = b
		}
		x.Put(clusterKey(name), Entry{Resource: r})
		return nil
	}
}

// BenchmarkCommit is one small resource, among many.
func BenchmarkCommit(b *testing.B) {
	for _, n := range []int{1, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := open(b, Config{})
			fill(b, s, n)
			change := flip(b, "c0")
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Commit(b.Context(), change); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkEtcdPut is the floor: one put of the same etcd.
func BenchmarkEtcdPut(b *testing.B) {
	s := open(b, Config{})
	value := string(make([]byte, 500))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.etcd.Put(b.Context(), "floor", value); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkApplyOneHost is a virtual host among n others, with all checks.
func BenchmarkApplyOneHost(b *testing.B) {
	s := open(b, Config{})
	var hosts []string
	for i := range 10_000 {
		hosts = append(hosts, fmt.Sprintf("h%d=a", i))
	}
	apply(b, s, clusterYAML("a", 1)+clusterYAML("b", 1)+routeYAML("rc", hosts...), Options{})
	docs := [][]resource.Document{documents(b, hostYAML("rc/own", "a")), documents(b, hostYAML("rc/own", "b"))}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i++
		if _, err := s.Apply(b.Context(), docs[i%2], false, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// fill puts n clusters into s.
func fill(t testing.TB, s *Store, n int) {
	t.Helper()
	var names []string
	for i := range n {
		names = append(names, fmt.Sprint("c", i))
	}
	commit(t, s, put(t, 1, names...))
}

// allocated is how many bytes one call of f takes, of a hundred.
func allocated(f func()) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const calls = 100
	for range calls {
		f()
	}
	runtime.ReadMemStats(&after)
	return float64(after.TotalAlloc-before.TotalAlloc) / calls
}

func TestACommitCostsTheSameAmongManyResources(t *testing.T) {
	cost := func(n int) float64 {
		s := open(t, Config{MaxCommits: 100_000}) // no upkeep meanwhile
		fill(t, s, n)
		change := flip(t, "c0")
		commit(t, s, change)
		return allocated(func() { commit(t, s, change) })
	}
	few, many := cost(100), cost(20_000)
	t.Logf("%.0f bytes among 100 resources, %.0f among 20,000", few, many)
	if many > 2*few {
		t.Errorf("a commit takes %.0f bytes among 100 resources and %.0f among 20,000", few, many)
	}
}
