package e2e

import (
	"slices"
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"

	"github.com/deltaplane/deltaplane/client"
	"github.com/deltaplane/deltaplane/internal/envoy"
	"github.com/deltaplane/deltaplane/internal/envoytest"
)

// The Go client on the real binary, over its crash: what it holds is not sent
// again, and what happens afterwards arrives.
func TestTheClientLibraryOutlivesAControlPlane(t *testing.T) {
	plane, ctx := envoytest.StartPlane(t), envoytest.Context(t)
	plane.Apply(documents(envoy.DeltaADS, cluster("one"), cluster("two")))
	c, err := client.New(client.Config{Targets: []string{plane.XDS}, Node: &corev3.Node{Id: "library"}, BackoffMax: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	w, err := client.NewWatcher[*clusterv3.Cluster](ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	next := func() (names []string) {
		u, err := w.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range u.Resources {
			names = append(names, r.Name)
		}
		return append(names, u.Removed...)
	}
	if got := next(); !slices.Equal(got, []string{"one", "two"}) {
		t.Fatalf("the first update is about %q", got)
	}

	plane.Kill()
	plane.Start()
	plane.WaitInSync("library", 1)
	proxy, err := plane.Status(ctx, "library")
	if err != nil || proxy.Responses != 0 {
		t.Errorf("%d responses were sent to a client that had everything, %v", proxy.Responses, err)
	}
	plane.Apply(documents(envoy.DeltaADS, cluster("three")))
	if got := next(); !slices.Equal(got, []string{"three"}) {
		t.Errorf("after the crash came %q, want three alone", got)
	}
}
