package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/internal/envoytest"
	"github.com/deltaplane/deltaplane/internal/torn"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/source"
)

// A file is written tornWrites times, in random pieces with pauses, over what
// it was, while a real control plane watches its directory. Every version that
// was ever published must be one that was meant.
func TestNoHalfWrittenFileIsPublished(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	file := filepath.Join(t.TempDir(), "clusters.yaml")
	write(t, file, torn.State(0))
	plane := envoytest.StartPlane(t, "--watch", filepath.Dir(file), "--watch-settle", "5ms", "--history-commits", "100000")
	plane.WaitSource(source.InSync)
	pause := func() { // the writer's own pace, often slower than --watch-settle
		<-time.After(time.Duration(random.IntN(12)) * time.Millisecond)
	}
	for i := 1; i <= tornWrites; i++ {
		if err := torn.Write(file, i, random, pause); err != nil {
			t.Fatal(err)
		}
		if i == tornWrites || i%3 == 0 {
			envoytest.Eventually(t, fmt.Sprintf("state %d", i), func(ctx context.Context) error { return holdsState(ctx, plane, 0, i) })
		}
	}
	newest, err := plane.Resources(t.Context(), "cluster", 0)
	if err != nil {
		t.Fatal(err)
	}
	for v := deltaplane.Version(1); v <= newest.Version; v++ {
		if err := holdsState(t.Context(), plane, v, -1); err != nil {
			t.Errorf("version %d: %v", v, err)
		}
	}
	t.Logf("%d writes, %d versions", tornWrites, newest.Version)
	if newest.Version < tornWrites/3 { // those that were waited for
		t.Errorf("of %d states only %d were published: the test has seen too little", tornWrites, newest.Version)
	}
}

// holdsState is nil when the store holds, at version v or with 0 now, one of
// the states that were meant: the given one, or with -1 any.
func holdsState(ctx context.Context, plane *envoytest.Plane, v deltaplane.Version, want int) error {
	page, err := plane.Resources(ctx, "cluster", v)
	if err != nil {
		return err
	}
	timeouts := map[string]time.Duration{}
	for _, r := range page.Resources {
		docs, problems := resource.Decoder{}.Decode("content.json", r.Content)
		if len(problems) > 0 {
			return problems
		}
		m, err := docs[0].Resource.Message()
		if err != nil {
			return err
		}
		timeouts[r.Name] = m.(*clusterv3.Cluster).ConnectTimeout.AsDuration()
	}
	state, ok := torn.Whole(timeouts)
	switch {
	case !ok:
		return fmt.Errorf("holds a state that nobody meant: %v", timeouts)
	case want >= 0 && state != want:
		return errors.New("holds state " + fmt.Sprint(state))
	}
	return nil
}
