package deltaplane

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"

	"github.com/deltaplane/deltaplane/resource"
)

// upkeep lets the keeper work to the end, besides the keeper itself.
func upkeep(t testing.TB, s *Store) {
	t.Helper()
	for {
		err := s.keeper.cleanUp(t.Context())
		if err == nil {
			return
		}
		if !errors.Is(err, errOvertaken) {
			t.Fatal(err)
		}
	}
}

// flatCommits is how many commits TestBytesInUseStayFlat makes.
var flatCommits = 5000

func TestBytesInUseStayFlatOverManyCommits(t *testing.T) {
	s := open(t, Config{MaxCommits: 100})
	var names []string
	for i := range 200 {
		names = append(names, fmt.Sprint("c", i))
	}
	commit(t, s, put(t, 0, names...))
	use := func() int64 {
		upkeep(t, s)
		upkeep(t, s)
		_, inUse := s.etcd.embedded.Sizes()
		return inUse
	}
	var early int64
	churn := func(n int) {
		var writers sync.WaitGroup
		for w := range 10 {
			writers.Go(func() {
				for i := range n / 10 {
					if _, err := s.Commit(t.Context(), put(t, i, names[(10*i+w)%len(names)])); err != nil {
						t.Error(err)
					}
				}
			})
		}
		writers.Wait()
	}
	churn(500)
	early = use()
	churn(flatCommits - 500)
	late := use()
	if late > early*3/2 {
		t.Errorf("%d bytes in use after 500 commits, %d after %d", early, late, flatCommits)
	}
	if n := countValues(t, s); n > 1000 {
		t.Errorf("%d values are left", n)
	}
	commits, err := s.History(t.Context(), 0, 0)
	if err != nil || len(commits) < 50 || len(commits) > 101 {
		t.Errorf("%d commits are kept, %v", len(commits), err)
	}
	if _, err := s.At(t.Context(), commits[len(commits)-1].Version); err != nil {
		t.Errorf("the oldest version that is kept: %v", err)
	}
	if _, err := s.At(t.Context(), 1); !errors.Is(err, ErrVersionGone) {
		t.Errorf("a version that is not kept: %v", err)
	}
	checkStored(t, s)
}

func TestHistoryTakesNoMoreThanItsShareOfTheQuota(t *testing.T) {
	s := open(t, Config{QuotaBytes: 8 << 20})
	k := Key{DefaultNamespace, resource.Cluster, "a"}
	for i := range 100 { // some 100 KB each: 10 MB of history, and 2 MB are its share
		big := cluster(t, "a", i)
		commit(t, s, func(b *Batch) error {
			b.Message = string(bytes.Repeat([]byte("m"), 50<<10))
			b.Put(k, Entry{Resource: big})
			return nil
		})
	}
	upkeep(t, s)
	commits, err := s.History(t.Context(), 0, 0)
	if err != nil || len(commits) < 10 || len(commits) > 45 {
		t.Fatalf("%d commits are kept, %v", len(commits), err)
	}
	checkStored(t, s)
}

func TestOldCommitsGoByTheirAge(t *testing.T) {
	s := open(t, Config{MaxCommits: 8, MaxAge: time.Nanosecond})
	for i := range 20 {
		commit(t, s, put(t, i, "a"))
	}
	upkeep(t, s)
	commits, err := s.History(t.Context(), 0, 0)
	if err != nil || len(commits) > 8 {
		t.Fatalf("%d commits are kept, %v", len(commits), err)
	}
	checkStored(t, s)
}

// secret is a resource that holds a private key.
func secret(t *testing.T, text string) *resource.Resource {
	t.Helper()
	r, err := resource.New(&tlsv3.Secret{Name: "key", Type: &tlsv3.Secret_GenericSecret{GenericSecret: &tlsv3.GenericSecret{
		Secret: &corev3.DataSource{Specifier: &corev3.DataSource_InlineBytes{InlineBytes: []byte(text)}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestOfASecretOnlyTheCurrentAndThePreviousValueAreKept(t *testing.T) {
	s := open(t, Config{})
	k := Key{DefaultNamespace, resource.Secret, "key"}
	for i := range 4 {
		r := secret(t, fmt.Sprint("private-", i+1))
		commit(t, s, func(b *Batch) error { b.Put(k, Entry{Resource: r}); return nil })
	}
	upkeep(t, s)
	all, err := s.etcd.Get(t.Context(), s.keys.prefix, clientv3.WithPrefix())
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{false, false, true, true} {
		found := false
		for _, kv := range all.Kvs {
			found = found || bytes.Contains(kv.Value, []byte(fmt.Sprint("private-", i+1)))
		}
		if found != want {
			t.Errorf("value %d is in etcd: %v, want %v", i+1, found, want)
		}
	}
	for v, kept := range map[Version]bool{1: false, 2: false, 3: true, 4: true} {
		old, err := s.At(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		e, _ := old.Get(k)
		if got := len(e.Resource.Segments()) > 0; got != kept {
			t.Errorf("version %d has the content: %v, want %v", v, got, kept)
		}
	}
	if _, err := s.Rollback(t.Context(), 1, false, Options{}); !errors.Is(err, ErrVersionGone) {
		t.Errorf("rollback to a value that is not kept: %v", err)
	}
	if _, err := s.Revert(t.Context(), 4, Options{}); err != nil {
		t.Errorf("revert to the previous value: %v", err)
	}
}

func TestTheCollectorTakesNothingFromCommittersOfAnyReplica(t *testing.T) {
	e := startEtcd(t)
	cfg := Config{MaxCommits: 8}
	a, b := e.replica(cfg), e.replica(cfg)
	stop := make(chan struct{})
	var collectors, committers sync.WaitGroup
	const enough = 5
	var sweeps atomic.Int32
	collectors.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				if err := a.sweep(t.Context()); err == nil {
					sweeps.Add(1)
				} else if !errors.Is(err, errOvertaken) {
					t.Error(err)
				}
			}
		}
	})
	for i, s := range []*Store{a, b} {
		committers.Go(func() {
			for j := 0; j < 30 || sweeps.Load() < enough; j++ {
				// The same contents come and go: what one replica puts again
				// is what the other has just dropped.
				names := []string{fmt.Sprint("w", i), "shared"}
				if j%10 == 0 {
					for n := range 200 {
						names = append(names, fmt.Sprint("many", n))
					}
				}
				if _, err := s.Commit(t.Context(), put(t, j%3, names...)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	committers.Wait()
	close(stop)
	collectors.Wait()
	eventually(t, a, atVersion(b.Latest().Version()))
	checkStored(t, a)
	t.Logf("%d sweeps, %d commits", sweeps.Load(), a.Latest().Version())
}

func TestAnEtcdOutOfSpaceRecovers(t *testing.T) {
	s := open(t, Config{QuotaBytes: 6 << 20, MaxCommits: 8})
	k := Key{DefaultNamespace, resource.Secret, "big"}
	full, after := 0, 0
	for i := range 60 {
		r := largeSecret(t, 500<<10+16*i)
		for {
			_, err := s.Commit(t.Context(), func(b *Batch) error { b.Put(k, Entry{Resource: r}); return nil })
			if err == nil {
				if full > 0 {
					after++
				}
				break
			}
			if full++; full > 10_000 || !isNoSpace(err) {
				t.Fatal(err)
			}
		}
	}
	if full == 0 {
		t.Fatal("it was never full; the test shows nothing")
	}
	t.Logf("refused %d times, %d commits after the first", full, after)
}
