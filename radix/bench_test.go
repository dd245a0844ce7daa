package radix

import (
	"fmt"
	"testing"
)

var benchSizes = []int{1_000, 10_000, 100_000, 1_000_000}

func bench(b *testing.B, run func(b *testing.B, t Tree[number], n int)) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			t := entries(n)
			b.ReportAllocs()
			run(b, t, n)
		})
	}
}

func BenchmarkPut(b *testing.B) {
	bench(b, func(b *testing.B, t Tree[number], n int) {
		i := 0
		for b.Loop() {
			i++
			t.Put(entry(i%n), number(-i))
		}
	})
}

func BenchmarkGet(b *testing.B) {
	bench(b, func(b *testing.B, t Tree[number], n int) {
		key := entry(n / 2)
		for b.Loop() {
			t.Get(key)
		}
	})
}

func BenchmarkDiff(b *testing.B) {
	bench(b, func(b *testing.B, t Tree[number], n int) {
		changed := t.Put(entry(n/2), -1)
		for b.Loop() {
			for range Diff(t, changed) {
			}
		}
	})
}

// BenchmarkBuild reports the memory that a tree takes for each key.
func BenchmarkBuild(b *testing.B) {
	const n = 100_000
	b.ReportAllocs()
	for b.Loop() {
		entries(n)
	}
}
