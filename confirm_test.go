package deltaplane

import (
	"context"
	"errors"
	"sync"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// deafWatcher hears nothing of what others commit.
type deafWatcher struct{ clientv3.Watcher }

func (deafWatcher) Watch(ctx context.Context, _ string, _ ...clientv3.OpOption) clientv3.WatchChan {
	c := make(chan clientv3.WatchResponse)
	context.AfterFunc(ctx, func() { close(c) })
	return c
}

// behind is a replica of e that hears nothing of what others commit.
func (e *realEtcd) behind(t *testing.T) *Store {
	t.Helper()
	cfg := Config{Endpoints: e.endpoint(), DataDir: t.TempDir()}.withDefaults()
	c, err := connect(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	c.Watcher = deafWatcher{c.Watcher}
	s, err := openOn(t.Context(), cfg, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, s) })
	return s
}

func TestAReplicaThatIsBehindDoesNotSayUnchangedOfWhatHasChanged(t *testing.T) {
	e := startEtcd(t)
	other, s := e.replica(Config{}), e.behind(t)
	commit(t, s, by("first", put(t, 1, "a")))
	eventually(t, other, atVersion(1))
	commit(t, other, by("other", put(t, 2, "a")))
	if v := commit(t, s, by("again", put(t, 1, "a"))); v != 3 {
		t.Fatalf("version %d holds another content; the commit makes version %d", 2, v)
	}
	if got := authors(t, s); got != "1:first 2:other 3:again " {
		t.Fatal(got)
	}
}

func TestAReplicaThatIsBehindDoesNotRefuseAVersionThatIsTheNewest(t *testing.T) {
	e := startEtcd(t)
	other, s := e.replica(Config{}), e.behind(t)
	newest := commit(t, other, put(t, 1, "a"))
	o := Options{IfVersion: &newest}
	if _, err := s.Delete(t.Context(), []Key{clusterKey("a")}, false, o); err != nil && !errors.Is(err, ErrOwned) {
		t.Fatal(err)
	}
	if s.Latest().Version() < newest {
		t.Fatal("it has not looked")
	}
}

func TestUnchangedAndConflictAreNotSaidWithoutEtcdButARefusalIs(t *testing.T) {
	e := startEtcd(t)
	s := e.replica(Config{})
	commit(t, s, put(t, 1, "a"))
	e.proxy.cut()
	mine := errors.New("mine")
	if _, err := s.Commit(t.Context(), func(*Batch) error { return mine }); !errors.Is(err, mine) {
		t.Errorf("a refusal ends with %v", err)
	}
	var both sync.WaitGroup // each waits for ten seconds
	for name, says := range map[string]error{"nothing to do": nil, "a conflict": ErrConflict} {
		both.Go(func() {
			if _, err := s.Commit(t.Context(), func(*Batch) error { return says }); !errors.Is(err, ErrUnavailable) {
				t.Errorf("%s is told without having looked: %v", name, err)
			}
		})
	}
	both.Wait()
}
