package keys

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/internal/etcdclient"
	"github.com/deltaplane/deltaplane/internal/faulttest"
	"github.com/deltaplane/deltaplane/source"
)

// throughLine is a replica whose keys, and not its store, are behind the line.
func throughLine(t *testing.T, e *faulttest.Etcd) *replica {
	t.Helper()
	client, err := etcdclient.New([]string{e.Endpoint()}, nil)
	must(t, err)
	store := open(t, deltaplane.Config{Endpoints: []string{e.URL}, MaxCommits: 1 << 20})
	r := watch(t, store, client)
	t.Cleanup(func() {
		r.stop()
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	r.etcd = e.Client
	return r
}

func TestReplicasThatWatchTheSameKeysDoNotFight(t *testing.T) {
	e := faulttest.StartEtcd(t, "")
	replicas := []*replica{throughLine(t, e), throughLine(t, e), throughLine(t, e)}
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	want := map[string]string{}
	for i := range replicaChanges {
		key := fmt.Sprint("k", random.IntN(4))
		want[key] = fmt.Sprintf("%s=%d", key, i+1)
		replicas[0].put(key, clusters(want[key]))
		if random.IntN(3) == 0 {
			replicas[random.IntN(3)].becomes(source.InSync, joined(want))
		}
	}
	for _, r := range replicas {
		r.becomes(source.InSync, joined(want))
	}
	// No version brings an older state back: timeouts only grow.
	last := map[string]string{}
	newest := replicas[0].store.Latest().Version()
	history, err := replicas[0].store.History(t.Context(), 0, 0)
	must(t, err)
	for i := range history {
		c := history[len(history)-1-i]
		snapshot, err := replicas[0].store.At(t.Context(), c.Version)
		must(t, err)
		for _, change := range c.Changes {
			entry, ok := snapshot.Get(change.Key)
			if !ok {
				t.Fatalf("version %d removed %s", c.Version, change.Key)
			}
			now := entry.Resource.Digest().String()
			if was := last[change.Key.Name+now]; was != "" {
				t.Errorf("version %d brings back what %s had in version %s", c.Version, change.Key, was)
			}
			last[change.Key.Name+now] = fmt.Sprint(c.Version)
		}
	}
	if newest > replicaChanges {
		t.Errorf("%d changes made %d commits", replicaChanges, newest)
	}
}

// joined are the clusters of all keys as holds lists them.
func joined(want map[string]string) string {
	text := ""
	for _, key := range []string{"k0", "k1", "k2", "k3"} {
		if want[key] != "" {
			text += " " + want[key]
		}
	}
	return text[min(len(text), 1):]
}

func TestKeysAreReadAgainAfterTheyCouldNotBe(t *testing.T) {
	e := faulttest.StartEtcd(t, "")
	r := throughLine(t, e)
	r.put("a", clusters("a=1"), "b", clusters("b=1"))
	r.becomes(source.InSync, "a=1 b=1")
	i := 1
	for what, fault := range map[string]struct{ begin, end func() }{
		"cut off":                  {e.Line.Cut, e.Line.Mend},
		"cut off, and compacted":   {func() { e.Line.Cut(); e.Compact() }, func() { e.Compact(); e.Line.Mend() }},
		"partitioned":              {e.Line.Hold, e.Line.Mend},
		"killed and started again": {func() { e.Kill(); e.Start() }, func() {}},
	} {
		t.Run(what, func(t *testing.T) {
			i++
			r.T = t
			fault.begin()
			r.put("a", clusters(fmt.Sprint("a=", i)), "b", "", fmt.Sprint("c", i), clusters(fmt.Sprintf("c%d=1", i)))
			fault.end()
			r.becomes(source.InSync, fmt.Sprintf("a=%d c%d=1", i, i))
			r.put("b", clusters("b=1"), fmt.Sprint("c", i), "")
			r.becomes(source.InSync, fmt.Sprintf("a=%d b=1", i))
		})
	}
}

func TestKeysThatCannotBeReadAreTold(t *testing.T) {
	e := faulttest.StartEtcd(t, "")
	e.Line.Cut()
	r := throughLine(t, e)
	r.put("a", clusters("a=1"))
	r.becomes(source.Unavailable, "")
	e.Line.Mend()
	r.becomes(source.InSync, "a=1")
}
