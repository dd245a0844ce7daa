package wire

import (
	"fmt"
	"slices"
	"testing"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
)

// BenchmarkEncode is a response of so many clusters of so many bytes, before
// any stream has it.
func BenchmarkEncode(b *testing.B) {
	for _, count := range []int{1, 100, 10_000} {
		for _, size := range []int{100, 20_000} {
			if count*size > 20<<20 {
				continue
			}
			list := clusters(b, slices.Repeat([]int{size}, count))
			change := &view.Change{}
			for _, r := range list {
				change.Upserts = append(change.Upserts, view.Upsert{Resource: r})
			}
			name := fmt.Sprintf("%d of %d bytes", count, size)
			b.Run("delta/"+name, func(b *testing.B) {
				b.SetBytes(int64(Delta(resource.Cluster, "v", "", change).Size()))
				b.ReportAllocs()
				for b.Loop() {
					Delta(resource.Cluster, "v", "", change)
				}
			})
			b.Run("sotw/"+name, func(b *testing.B) {
				b.SetBytes(int64(SotW(resource.Cluster, "v", "", list).Size()))
				b.ReportAllocs()
				for b.Loop() {
					SotW(resource.Cluster, "v", "", list)
				}
			})
		}
	}
}

// BenchmarkShare is what each further stream takes to send an encoded
// response: the list of its buffers.
func BenchmarkShare(b *testing.B) {
	for _, count := range []int{1, 100} {
		b.Run(fmt.Sprint(count, " bodies"), func(b *testing.B) {
			response := &Response{SotW(resource.Cluster, "v", "", clusters(b, slices.Repeat([]int{20_000}, count))), "run-stream-1"}
			codec := NewCodec()
			b.ReportAllocs()
			for b.Loop() {
				buffers, err := codec.Marshal(response)
				if err != nil {
					b.Fatal(err)
				}
				buffers.Free()
			}
		})
	}
}
