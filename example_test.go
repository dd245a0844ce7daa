package deltaplane_test

import (
	"context"
	"fmt"
	"os"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
)

func Example() {
	dir, err := os.MkdirTemp("", "deltaplane")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	store, err := deltaplane.Open(ctx, deltaplane.Config{DataDir: dir})
	if err != nil {
		panic(err)
	}
	pay, err := resource.New(&clusterv3.Cluster{Name: "pay"})
	if err != nil {
		panic(err)
	}
	version, err := store.Commit(ctx, func(b *deltaplane.Batch) error {
		b.Author, b.Message = "ana", "first cluster"
		b.Put(deltaplane.KeyIn("default", resource.Cluster, "pay"), deltaplane.Entry{Resource: pay, Owner: "ana"})
		return nil
	})
	fmt.Println(version, store.Latest().Tree().Len(), err)
	if err := store.Close(); err != nil {
		panic(err)
	}
	// Output: 1 1 <nil>
}
