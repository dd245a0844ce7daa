package view

import (
	"fmt"
	"testing"

	"github.com/deltaplane/deltaplane/resource"
)

var benchSizes = []int{1_000, 10_000, 100_000}

// filled has n clusters in the default namespace.
func filled(b *testing.B, n int) *store {
	b.Helper()
	s := &store{}
	for i := range n {
		s.put("default", cluster(b, fmt.Sprintf("c%06d", i), 0), false)
	}
	return s
}

// BenchmarkUpdate is a view after one cluster among n has changed.
func BenchmarkUpdate(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := filled(b, n)
			v := New(s.commit(), []string{"default"})
			s.put("default", cluster(b, "c000007", 1), false)
			next := s.commit()
			b.ReportAllocs()
			for b.Loop() {
				v.At(next)
			}
		})
	}
}

// BenchmarkUpdateHost is a view after a virtual host of a table of n has
// changed, up to the table that clients get whole.
func BenchmarkUpdateHost(b *testing.B) {
	for _, n := range []int{100, 1_000, 10_000} {
		b.Run(fmt.Sprint(n, " hosts"), func(b *testing.B) {
			s := &store{}
			s.put("default", shell(b, "r", false, 0), false)
			for i := range n {
				s.put("default", host(b, fmt.Sprintf("r/h%06d", i), "c", fmt.Sprintf("h%06d.test", i)), true)
			}
			v := New(s.commit(), []string{"default"})
			s.put("default", host(b, "r/h000007", "d", "h000007.test"), true)
			next := s.commit()
			b.ReportAllocs()
			for b.Loop() {
				r, ok := v.At(next).Table(resource.Route).Get("r")
				if !ok || len(r.Body()) == 0 {
					b.Fatal("the table has no bytes")
				}
			}
		})
	}
}

// BenchmarkNew is the view of n clusters, for the first node of a fleet.
func BenchmarkNew(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			snapshot := filled(b, n).commit()
			b.ReportAllocs()
			for b.Loop() {
				New(snapshot, []string{"default"})
			}
		})
	}
}

// BenchmarkDiff is what a client needs after one cluster among n has changed:
// one that has subscribed to all, to a thousand names, and that has just come
// back and says what it has.
func BenchmarkDiff(b *testing.B) {
	for _, n := range benchSizes {
		s := filled(b, n)
		v := New(s.commit(), []string{"default"})
		s.put("default", cluster(b, "c000007", 1), false)
		before, after := v.Table(resource.Cluster), v.At(s.commit()).Table(resource.Cluster)
		var names []string
		versions := map[string]string{}
		for name, r := range before.All() {
			if len(names) < 1000 {
				names = append(names, name)
			}
			versions[name] = r.Digest().String()
		}
		var interner Interner
		all := interner.Of(true, nil)
		for _, c := range []struct {
			name string
			held Held
			sub  *Subscription
		}{
			{"wildcard", Holding(before, Table{}), all},
			{"1,000 names", Holding(before, Table{}), interner.Of(false, names)},
			{"resumed", Resumed(versions), all},
		} {
			b.Run(fmt.Sprintf("%s/%d", c.name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if out := Diff(c.held, after, c.sub, Limits{}); len(out.Upserts) != 1 {
						b.Fatal(len(out.Upserts), " upserts")
					}
				}
			})
		}
	}
}
