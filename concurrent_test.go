package deltaplane

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
)

// counter is a change that raises a counter, kept as a cluster's timeout.
func counter(t *testing.T, name string, saw *int) func(*Batch) error {
	return func(b *Batch) error {
		n := 0
		if e, ok := b.Get(clusterKey(name)); ok {
			var err error
			if n, err = strconv.Atoi(e.Owner); err != nil {
				return err
			}
		}
		*saw = n
		b.Put(clusterKey(name), Entry{Resource: cluster(t, name, n), Owner: strconv.Itoa(n + 1)})
		return nil
	}
}

func TestConcurrentCommittersLoseNoUpdate(t *testing.T) {
	e := startEtcd(t)
	stores := []*Store{e.replica(Config{}), e.replica(Config{}), e.replica(Config{})}
	const writers, each = 9, 12
	var mu sync.Mutex
	seen := map[int]bool{}
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for range each {
				var saw int
				if _, err := stores[w%len(stores)].Commit(t.Context(), counter(t, "n", &saw)); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if seen[saw] {
					t.Errorf("two commits followed %d", saw)
				}
				seen[saw] = true
				mu.Unlock()
			}
		})
	}
	all.Wait()
	for _, s := range stores {
		now := eventually(t, s, atVersion(writers*each))
		if got, _ := now.Get(clusterKey("n")); got.Owner != strconv.Itoa(writers*each) {
			t.Errorf("the counter is %s after %d commits", got.Owner, writers*each)
		}
	}
}

func TestACommitIsSeenByWhoeverReadsAfterIt(t *testing.T) {
	s := open(t, Config{})
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for i := range 20 {
				v, err := s.Commit(t.Context(), put(t, i, fmt.Sprint("w", w)))
				if err != nil {
					t.Error(err)
					return
				}
				now := s.Latest()
				if e, ok := now.Get(clusterKey(fmt.Sprint("w", w))); now.Version() < v || !ok || e.Since < v {
					t.Errorf("after version %d: %+v at version %d", v, e, now.Version())
				}
			}
		})
	}
	all.Wait()
}

func TestWhatAChangeSaysIsReturnedAsItIs(t *testing.T) {
	s := open(t, Config{})
	mine := errors.New("mine")
	if _, err := s.Commit(t.Context(), func(*Batch) error { return mine }); err != mine { //nolint:errorlint // that very error
		t.Fatal(err)
	}
	defer func() {
		if v := recover(); v != "mine" {
			t.Errorf("recovered %v", v)
		}
		if v := commit(t, s, put(t, 1, "a")); v != 1 {
			t.Errorf("the store makes version %d after a panic", v)
		}
	}()
	_, err := s.Commit(t.Context(), func(*Batch) error { panic("mine") })
	t.Errorf("a change that panics returns %v", err)
}

func TestACommitThatChangesNothingMakesNoVersion(t *testing.T) {
	s := open(t, Config{})
	commit(t, s, put(t, 1, "a"))
	for name, change := range map[string]func(*Batch) error{
		"an empty batch":  func(*Batch) error { return nil },
		"an equal entry":  put(t, 1, "a"),
		"there and back":  func(b *Batch) error { b.Delete(clusterKey("a")); return put(t, 1, "a")(b) },
		"a missing entry": func(b *Batch) error { b.Delete(clusterKey("none")); return nil },
	} {
		if v := commit(t, s, change); v != 1 || s.Latest().Version() != 1 {
			t.Errorf("%s: version %d", name, v)
		}
	}
}

func TestWhatCannotBeStoredIsRefused(t *testing.T) {
	s := open(t, Config{})
	a := cluster(t, "a", 1)
	for name, change := range map[string]func(*Batch){
		"another name": func(b *Batch) { b.Put(clusterKey("b"), Entry{Resource: a}) },
		"another type": func(b *Batch) { b.Put(Key{DefaultNamespace, resource.Listener, "a"}, Entry{Resource: a}) },
		"no resource":  func(b *Batch) { b.Put(clusterKey("a"), Entry{}) },
		"NUL":          func(b *Batch) { b.Put(Key{"x\x00y", resource.Cluster, "a"}, Entry{Resource: a}) },
		"an owner":     func(b *Batch) { b.Put(clusterKey("a"), Entry{Resource: a, Owner: "\xff"}) },
		"a message":    func(b *Batch) { b.Put(clusterKey("a"), Entry{Resource: a}); b.Message = "\xff" },
		"a long message": func(b *Batch) {
			b.Put(clusterKey("a"), Entry{Resource: a})
			b.Message = strings.Repeat("m", maxMessageBytes+1)
		},
		"content not kept": func(b *Batch) {
			b.Put(clusterKey("a"), Entry{Resource: resource.FromStored(a.Type(), "a", a.Digest(), 0, nil)})
		},
	} {
		if v, err := s.Commit(t.Context(), func(b *Batch) error { change(b); return nil }); err == nil {
			t.Errorf("%s: committed as version %d", name, v)
		}
	}
}

func TestCommitsEndWithTheStoreAndWithTheirContext(t *testing.T) {
	s := open(t, Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Commit(ctx, put(t, 1, "a")); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
	entered, leave := make(chan bool), make(chan bool)
	var blocked, waiting sync.WaitGroup
	blocked.Go(func() {
		if _, err := s.Commit(t.Context(), func(*Batch) error { close(entered); <-leave; return nil }); err != nil && !errors.Is(err, ErrClosed) {
			t.Errorf("one that is at work: %v", err)
		}
	})
	<-entered
	for range 5 {
		waiting.Go(func() {
			if _, err := s.Commit(t.Context(), put(t, 1, "a")); err != nil && !errors.Is(err, ErrClosed) {
				t.Errorf("one that waits: %v", err)
			}
		})
	}
	closed := make(chan bool)
	go func() { shut(t, s); close(closed) }()
	<-s.closing
	close(leave)
	<-closed
	waiting.Wait()
	blocked.Wait()
	if _, err := s.Commit(t.Context(), put(t, 1, "a")); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestADataDirectoryHasOneStore(t *testing.T) {
	dir := t.TempDir()
	open(t, Config{DataDir: dir})
	if _, err := Open(t.Context(), Config{DataDir: dir}); err == nil || !strings.Contains(err.Error(), "in use") || !strings.Contains(err.Error(), dir) {
		t.Fatalf("a second one: %v", err)
	}
}

func TestConcurrentSmallCommitsShareTransactions(t *testing.T) {
	s, kv := openFaulty(t, Config{})
	var transactions int
	hold := make(chan bool)
	kv.on(func(do func() (*clientv3.TxnResponse, error)) (*clientv3.TxnResponse, error) {
		if transactions++; transactions == 1 {
			<-hold
		}
		return do()
	})
	const n = 20
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { commit(t, s, put(t, i, fmt.Sprint("c", i))) })
	}
	close(hold)
	all.Wait()
	if v := s.Latest().Version(); v != n || transactions >= n {
		t.Fatalf("%d versions in %d transactions", v, transactions)
	}
	if got := s.Latest().Tree().Hash(); got == (radix.Hash{}) {
		t.Fatal("nothing there")
	}
}
