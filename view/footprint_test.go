//go:build !invariants

package view

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
)

// What a view adds to the snapshot that it shows, in bytes for each resource.
func TestAViewCostsLittleBesideItsResources(t *testing.T) {
	const size, most = 20_000, 160
	x := radix.Tree[*deltaplane.Entry]{}.Txn()
	for i := range size {
		r := cluster(t, fmt.Sprintf("c%06d", i), 0)
		x.Put(deltaplane.Key{Namespace: "default", Type: resource.Cluster, Name: r.Name()}.Path(), &deltaplane.Entry{Resource: r})
	}
	s := deltaplane.NewSnapshot(1, time.Time{}, x.Commit())
	before := heapBytes()
	v := New(s, []string{"default"})
	each := float64(heapBytes()-before) / size
	if each > most {
		t.Errorf("%.0f bytes for each resource, want at most %d", each, most)
	}
	runtime.KeepAlive(v)
	runtime.KeepAlive(s)
}

func heapBytes() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
