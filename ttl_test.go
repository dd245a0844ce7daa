package deltaplane

import (
	"testing"
	"time"

	"github.com/deltaplane/deltaplane/resource"
)

// TestTTLsAreStored has a resource's TTL changed and taken away, and looks at
// it in the history, after a restart from the disk and from etcd alone.
func TestTTLsAreStored(t *testing.T) {
	e := startEtcd(t)
	dir := t.TempDir()
	cfg := Config{DataDir: dir, Endpoints: []string{e.url}}
	s := open(t, cfg)
	r := cluster(t, "a", 1)
	for _, ttl := range []time.Duration{time.Minute, time.Hour, 0, 2 * time.Hour} {
		commit(t, s, func(b *Batch) error { b.Put(clusterKey("a"), Entry{Resource: r.WithTTL(ttl)}); return nil })
	}
	if v := s.Latest().Version(); v != 4 {
		t.Fatalf("version %d: a TTL that changes is a change", v)
	}
	old, err := s.At(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	restarted, fresh := open(t, cfg), open(t, Config{Endpoints: []string{e.url}})
	for _, c := range []struct {
		in   *Snapshot
		want *resource.Resource
	}{{old, r.WithTTL(time.Minute)}, {restarted.Latest(), r.WithTTL(2 * time.Hour)}, {fresh.Latest(), r.WithTTL(2 * time.Hour)}} {
		got, ok := c.in.Get(clusterKey("a"))
		if !ok || got.Resource.TTL() != c.want.TTL() || got.Resource.Digest() != c.want.Digest() || string(got.Resource.Bytes()) != string(c.want.Bytes()) {
			t.Errorf("version %d has TTL %s, want %s", c.in.Version(), got.Resource.TTL(), c.want.TTL())
		}
	}
}
