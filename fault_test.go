package deltaplane

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// errLost is how a transaction without an answer ends.
var errLost = status.Error(codes.Unavailable, "lost for the test")

// faultyKV lets a test decide what happens to transactions that are
// conditional: those of commits and of the keeper.
type faultyKV struct {
	clientv3.KV
	commit atomic.Pointer[func(do func() (*clientv3.TxnResponse, error)) (*clientv3.TxnResponse, error)]
	values atomic.Int64 // that were asked for
}

func (k *faultyKV) Txn(ctx context.Context) clientv3.Txn {
	return &faultyTxn{k.KV.Txn(context.WithoutCancel(ctx)), k, false}
}

// on makes f decide about the next transactions.
func (k *faultyKV) on(f func(do func() (*clientv3.TxnResponse, error)) (*clientv3.TxnResponse, error)) {
	k.commit.Store(&f)
}

type faultyTxn struct {
	clientv3.Txn
	kv          *faultyKV
	conditional bool
}

func (x *faultyTxn) If(c ...clientv3.Cmp) clientv3.Txn {
	x.Txn, x.conditional = x.Txn.If(c...), true
	return x
}
func (x *faultyTxn) Then(o ...clientv3.Op) clientv3.Txn {
	for _, op := range o {
		if op.IsGet() {
			x.kv.values.Add(1)
		}
	}
	x.Txn = x.Txn.Then(o...)
	return x
}
func (x *faultyTxn) Else(o ...clientv3.Op) clientv3.Txn { x.Txn = x.Txn.Else(o...); return x }
func (x *faultyTxn) Commit() (*clientv3.TxnResponse, error) {
	if f := x.kv.commit.Load(); f != nil && x.conditional {
		return (*f)(x.Txn.Commit)
	}
	return x.Txn.Commit()
}

// openFaulty is a store on e whose transactions the test decides about.
func openFaulty(t *testing.T, cfg Config) (*Store, *faultyKV) {
	t.Helper()
	if cfg.DataDir == "" {
		cfg.DataDir = t.TempDir()
	}
	cfg = cfg.withDefaults()
	c, err := connect(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	kv := &faultyKV{KV: c.KV}
	c.KV = kv
	s, err := openOn(t.Context(), cfg, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, s) })
	return s, kv
}

// authors lists who made the commits that are kept, oldest first.
func authors(t *testing.T, s *Store) string {
	t.Helper()
	commits, err := s.History(t.Context(), 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	all := ""
	for _, c := range commits {
		all = fmt.Sprintf("%d:%s ", c.Version, c.Author) + all
	}
	return all
}

func by(author string, change func(*Batch) error) func(*Batch) error {
	return func(b *Batch) error {
		err := change(b)
		b.Author = author
		return err
	}
}

func TestATransactionWithoutAnAnswerIsCarriedOutOnce(t *testing.T) {
	type do = func() (*clientv3.TxnResponse, error)
	for name, fault := range map[string]func(t *testing.T, s *Store, attempt int, do do) (*clientv3.TxnResponse, error){
		"when only the answer was lost": func(_ *testing.T, _ *Store, attempt int, do do) (*clientv3.TxnResponse, error) {
			resp, err := do()
			if attempt == 0 {
				return nil, errLost
			}
			return resp, err
		},
		"when it was lost on its way": func(_ *testing.T, _ *Store, attempt int, do do) (*clientv3.TxnResponse, error) {
			if attempt == 0 {
				return nil, errLost
			}
			return do()
		},
		"when three answers in a row were lost": func(_ *testing.T, _ *Store, attempt int, do do) (*clientv3.TxnResponse, error) {
			resp, err := do()
			if attempt < 3 {
				return nil, errLost
			}
			return resp, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, kv := openFaulty(t, Config{})
			commit(t, s, by("first", put(t, 1, "a")))
			attempt := -1
			kv.on(func(do do) (*clientv3.TxnResponse, error) { attempt++; return fault(t, s, attempt, do) })
			if v := commit(t, s, by("second", put(t, 2, "a"))); v != 2 {
				t.Fatalf("committed as version %d", v)
			}
			commit(t, s, by("third", put(t, 3, "a")))
			if got := authors(t, s); got != "1:first 2:second 3:third " {
				t.Fatal(got)
			}
		})
	}
}

func TestATransactionThatArrivesLateChangesNothing(t *testing.T) {
	s, kv := openFaulty(t, Config{})
	commit(t, s, by("first", put(t, 1, "a")))
	var late func() (*clientv3.TxnResponse, error)
	kv.on(func(do func() (*clientv3.TxnResponse, error)) (*clientv3.TxnResponse, error) {
		if late == nil {
			late = do
			return nil, errLost
		}
		return do()
	})
	commit(t, s, by("second", put(t, 2, "a")))
	if resp, err := late(); err != nil || resp.Succeeded {
		t.Fatalf("the late transaction: %+v, %v", resp, err)
	}
	commit(t, s, by("third", put(t, 3, "a")))
	if got := authors(t, s); got != "1:first 2:second 3:third " {
		t.Fatal(got)
	}
}

func TestACommitWhoseAnswerWasLostIsKnownAgainBehindAnothers(t *testing.T) {
	e := startEtcd(t)
	s, kv := openFaulty(t, Config{Endpoints: e.endpoint()})
	other := e.replica(Config{})
	lost := false
	kv.on(func(do func() (*clientv3.TxnResponse, error)) (*clientv3.TxnResponse, error) {
		resp, err := do()
		if lost {
			return resp, err
		}
		lost = true
		eventually(t, other, atVersion(1))
		commit(t, other, by("other", put(t, 2, "b")))
		return nil, errLost
	})
	runs := 0
	v := commit(t, s, by("one", func(b *Batch) error { runs++; return put(t, 1, "a")(b) }))
	if v != 1 || runs != 1 {
		t.Fatalf("version %d after %d runs", v, runs)
	}
	eventually(t, s, atVersion(2))
	if got := authors(t, s); got != "1:one 2:other " {
		t.Fatal(got)
	}
}

func TestACommitInvalidatedByTheCollectorWritesItsValuesAgain(t *testing.T) {
	s, kv := openFaulty(t, Config{})
	var names []string
	for i := range 500 { // more than one transaction holds
		names = append(names, fmt.Sprint("c", i))
	}
	swept := false
	kv.on(func(do func() (*clientv3.TxnResponse, error)) (*clientv3.TxnResponse, error) {
		if !swept { // the values are written, the commit is not made
			swept = true
			if err := s.sweep(t.Context()); err != nil {
				t.Error(err)
			}
			if n := countValues(t, s); n != 0 {
				t.Errorf("%d values of the unfinished commit are left; the test shows nothing", n)
			}
		}
		return do()
	})
	commit(t, s, put(t, 1, names...))
	checkStored(t, s)
}

// countValues is how many values etcd has.
func countValues(t testing.TB, s *Store) int64 {
	t.Helper()
	got, err := s.etcd.Get(t.Context(), s.keys.values(), clientv3.WithPrefix(), clientv3.WithCountOnly())
	if err != nil {
		t.Fatal(err)
	}
	return got.Count
}

// checkStored reads everything from etcd again and compares it with what s
// serves.
func checkStored(t testing.TB, s *Store) {
	t.Helper()
	v, err := s.look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p, err := v.load(t.Context(), empty)
	if err != nil {
		t.Fatalf("what is in etcd cannot be read: %v", err)
	}
	if now := s.Latest(); p.snapshot.version == now.version && p.snapshot.tree.Hash() != now.tree.Hash() {
		t.Fatalf("version %d is not in etcd as it is served", now.version)
	}
}

func TestAnEtcdThatRefusesIsNotAskedAgain(t *testing.T) {
	s, kv := openFaulty(t, Config{})
	attempts := 0
	kv.on(func(func() (*clientv3.TxnResponse, error)) (*clientv3.TxnResponse, error) {
		attempts++
		return nil, status.Error(codes.InvalidArgument, "refused for the test")
	})
	if _, err := s.Commit(t.Context(), put(t, 1, "a")); err == nil || errors.Is(err, ErrUnavailable) || attempts != 1 {
		t.Fatalf("%d attempts, error %v", attempts, err)
	}
}

func TestACommitThatTheWatchTellsOfFirstIsPublishedAsItWasMade(t *testing.T) {
	s, kv := openFaulty(t, Config{})
	kv.on(func(do func() (*clientv3.TxnResponse, error)) (*clientv3.TxnResponse, error) {
		resp, err := do()
		eventually(t, s, atVersion(1))
		return resp, err
	})
	made := cluster(t, "a", 1)
	commit(t, s, func(b *Batch) error { b.Put(clusterKey("a"), Entry{Resource: made}); return nil })
	if e, _ := s.Latest().Get(clusterKey("a")); e.Resource != made {
		t.Error("the watch has made it anew")
	}
}
