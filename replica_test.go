package deltaplane

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/connectivity"

	"github.com/deltaplane/deltaplane/internal/faulttest"
	"github.com/deltaplane/deltaplane/resource"
)

func TestAReplicaCatchesUpAfterACompactionThatItMissed(t *testing.T) {
	e := startEtcd(t)
	a, b := e.replica(Config{}), open(t, Config{Endpoints: []string{e.url}})
	commit(t, b, put(t, 0, "a", "gone"))
	eventually(t, a, atVersion(1))
	e.proxy.cut()
	for i := range 30 {
		commit(t, b, put(t, i, "a", fmt.Sprint("c", i%3)))
	}
	commit(t, b, func(x *Batch) error { x.Delete(clusterKey("gone")); return nil })
	e.compact()
	e.proxy.mend()
	now := eventually(t, a, atVersion(b.Latest().Version()))
	if now.Tree().Hash() != b.Latest().Tree().Hash() {
		t.Fatal("the trees differ")
	}
	commit(t, b, put(t, 99, "a"))
	eventually(t, a, atVersion(b.Latest().Version()))
}

func TestAReplicaCatchesUpWhenTheRecordsThatItMissedAreGone(t *testing.T) {
	e := startEtcd(t)
	small := Config{MaxCommits: 8}
	a := e.replica(small)
	small.Endpoints = []string{e.url}
	b := open(t, small)
	commit(t, b, put(t, 0, "a"))
	eventually(t, a, atVersion(1))
	e.proxy.cut()
	for i := range 40 {
		commit(t, b, put(t, i, "a", fmt.Sprint("c", i%3)))
	}
	if err := b.trim(t.Context(), 1000); err != nil {
		t.Fatal(err)
	}
	b.writeNow(t)
	if err := b.dropRecords(t.Context(), b.Latest().Version()); err != nil {
		t.Fatal(err)
	}
	e.compact()
	e.proxy.mend()
	now := eventually(t, a, atVersion(41))
	if now.Tree().Hash() != b.Latest().Tree().Hash() {
		t.Fatal("the trees differ")
	}
}

func TestAFollowerReadsNothingOfALargeHostButWhatHasChanged(t *testing.T) {
	e := startEtcd(t)
	a := open(t, Config{Endpoints: []string{e.url}})
	b, kv := openFaulty(t, Config{Endpoints: []string{e.url}})
	apply(t, a, clusterYAML("a", 1)+clusterYAML("b", 1)+wideTable(2000), Options{})
	eventually(t, b, atVersion(1))
	kv.values.Store(0)
	for i := range 5 {
		patchRoute(t, a, i*300, "b")
		now := eventually(t, b, atVersion(Version(i+2)))
		if now.Tree().Hash() != a.Latest().Tree().Hash() {
			t.Fatal("the trees differ")
		}
	}
	if n := kv.values.Load(); n != 0 {
		t.Errorf("%d values are read from etcd, of which all but the changed ones were there", n)
	}
}

// writeNow writes a checkpoint of the newest snapshot, while the keeper may be
// at work.
func (s *Store) writeNow(t *testing.T) {
	t.Helper()
	for {
		epoch := s.epoch.Load()
		last, err := s.lastCheckpoint(t.Context())
		if err == nil {
			err = s.writeCheckpoint(t.Context(), s.Latest(), last, epoch)
		}
		if err == nil {
			return
		}
		if !errors.Is(err, errOvertaken) {
			t.Fatal(err)
		}
	}
}

func TestACommitOfTenThousandResourcesFitsAStockExternalEtcd(t *testing.T) {
	e := startEtcd(t)
	a, b := e.replica(Config{}), e.replica(Config{})
	var names []string
	for i := range 10_000 {
		names = append(names, fmt.Sprint("cluster-", i))
	}
	commit(t, a, put(t, 1, names...))
	if now := eventually(t, b, atVersion(1)); now.Tree().Len() != 10_000 || now.Tree().Hash() != a.Latest().Tree().Hash() {
		t.Fatalf("the other replica has %d of them", now.Tree().Len())
	}
}

func TestAResourceLargerThanARequestIsStoredInChunks(t *testing.T) {
	e := startEtcd(t)
	a, b := e.replica(Config{}), e.replica(Config{})
	big := largeSecret(t, 3<<20)
	k := Key{DefaultNamespace, resource.Secret, big.Name()}
	commit(t, a, func(x *Batch) error { x.Put(k, Entry{Resource: big}); return nil })
	eventually(t, b, atVersion(1))
	got, _ := b.Latest().Get(k)
	if string(got.Resource.Bytes()) != string(big.Bytes()) {
		t.Fatal("the content differs")
	}
}

func TestVersionsArePublishedInOrderWithoutGaps(t *testing.T) {
	e := startEtcd(t)
	a, b := e.replica(Config{}), e.replica(Config{})
	const n = 60
	var writers sync.WaitGroup
	for i, s := range []*Store{a, b, a, b} {
		writers.Go(func() {
			for j := range n / 4 {
				if _, err := s.Commit(t.Context(), put(t, j, fmt.Sprint("w", i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	for _, s := range []*Store{a, b} {
		eventually(t, s, atVersion(n))
		commits, err := s.History(t.Context(), 0, 0)
		if err != nil || len(commits) != n {
			t.Fatalf("%d commits, %v", len(commits), err)
		}
		for i, c := range commits {
			if want := Version(n - i); c.Version != want || c.Parent != want-1 {
				t.Fatalf("commit %d has version %d and parent %d", i, c.Version, c.Parent)
			}
		}
	}
	if a.Latest().Tree().Hash() != b.Latest().Tree().Hash() {
		t.Fatal("the trees differ")
	}
}

func TestWithoutEtcdTheSnapshotOnDiskIsServed(t *testing.T) {
	e := startEtcd(t)
	dir := t.TempDir()
	s := e.replica(Config{DataDir: dir})
	commit(t, s, put(t, 1, "a", "b"))
	hash := s.Latest().Tree().Hash()
	shut(t, s)

	e.proxy.cut()
	again := e.openWithout(t, Config{DataDir: dir, Endpoints: e.endpoint()})
	h := again.Health()
	if h.Connected || !h.FromDisk || h.Version != 1 || again.Latest().Tree().Hash() != hash {
		t.Fatalf("without etcd: %+v", h)
	}
	direct := open(t, Config{Endpoints: []string{e.url}})
	commit(t, direct, put(t, 2, "a"))
	e.proxy.mend()
	eventually(t, again, atVersion(2))
	if h := again.Health(); !h.Connected || h.FromDisk {
		t.Fatalf("with etcd again: %+v", h)
	}
	commit(t, again, put(t, 3, "a"))
}

// openWithout opens a store whose etcd does not answer.
func (e *realEtcd) openWithout(t *testing.T, cfg Config) *Store {
	t.Helper()
	cfg = cfg.withDefaults()
	c, err := connect(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	s, err := openOn(ctx, cfg, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, s) })
	return s
}

func TestADamagedSnapshotOnDiskIsIgnored(t *testing.T) {
	e := startEtcd(t)
	dir := t.TempDir()
	s := e.replica(Config{DataDir: dir})
	commit(t, s, put(t, 1, "a", "b"))
	hash := s.Latest().Tree().Hash()
	shut(t, s)
	path := filepath.Join(dir, diskName)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"cut off": whole[:len(whole)-40],
		"empty":   {},
		"changed": append(append([]byte{}, whole[:60]...), append([]byte{whole[60] ^ 1}, whole[61:]...)...),
		"short":   []byte(diskMagic),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := decodeSnapshot(b); !errors.Is(err, errDamaged) {
				t.Errorf("error is %v", err)
			}
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			s := e.replica(Config{DataDir: dir})
			if s.Latest().Tree().Hash() != hash || s.Health().FromDisk {
				t.Fatal("the store does not have what is in etcd")
			}
			shut(t, s)
		})
	}
}

func TestWhatACrashLeftOfADiskSnapshotIsRemoved(t *testing.T) {
	e := startEtcd(t)
	dir := t.TempDir()
	left := filepath.Join(dir, diskName+".123")
	if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := e.replica(Config{DataDir: dir})
	commit(t, s, put(t, 1, "a"))
	shut(t, s)
	if files, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(files) != 1 || filepath.Base(files[0]) != diskName {
		t.Fatalf("there are %v, %v", files, err)
	}
}

func TestAStoreSaysThatEtcdIsAwayAndThatItIsBack(t *testing.T) {
	e := startEtcd(t)
	log := make(logLines, 1000)
	s := e.replica(Config{Logger: slog.New(slog.NewTextHandler(log, nil))})
	commit(t, s, put(t, 1, "a"))
	e.proxy.cut()
	waitHealth(t, s, false)
	log.wait(t, "level=WARN", "etcd is away")
	// What was on its way may still come when the connection has failed for good.
	eventuallyFails(t, s)
	s.connected(nil)
	waitHealth(t, s, false)
	log.wait(t, "level=WARN", "etcd is away")
	if s.Latest().Version() != 1 {
		t.Fatal("what was served is not served any more")
	}
	e.proxy.mend()
	waitHealth(t, s, true)
	log.wait(t, "level=INFO", "etcd is back")
	commit(t, s, put(t, 2, "a"))
	waitHealth(t, s, true)
	for len(log) > 0 { // of more late answers than the one above
		<-log
	}
	shut(t, s)
	for len(log) > 0 {
		if line := <-log; strings.Contains(line, "away") {
			t.Errorf("a store that was closed says: %s", line)
		}
	}
}

// An etcd that is stopped for a while keeps its connections, so that nothing
// but an answer tells that it is back.
func TestAStoreSaysThatAPausedEtcdIsBack(t *testing.T) {
	e := startEtcd(t)
	s := e.replica(Config{})
	commit(t, s, put(t, 1, "a"))
	faulttest.Pause(t, e.cmd.Process)
	_, err := s.look(t.Context())
	if s.connected(err); s.Health().Connected {
		t.Fatalf("a paused etcd answers: %v", err)
	}
	if err := e.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	waitHealth(t, s, true)
}

// logLines is what was logged, line by line.
type logLines chan string

func (l logLines) Write(line []byte) (int, error) {
	l <- string(line)
	return len(line), nil
}

// wait takes lines out until one has all of the words.
func (l logLines) wait(t *testing.T, words ...string) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		select {
		case line := <-l:
			if !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(line, word) }) {
				return
			}
		case <-deadline:
			t.Fatalf("no line with %q was logged", words)
		}
	}
}

// eventuallyFails waits until the client has tried in vain to connect again.
func eventuallyFails(t *testing.T, s *Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	conn := s.etcd.client.ActiveConnection()
	for state := conn.GetState(); state != connectivity.TransientFailure; state = conn.GetState() {
		if !conn.WaitForStateChange(ctx, state) {
			t.Fatalf("the connection is %s", state)
		}
	}
}

// waitHealth waits until Health says connected or not.
func waitHealth(t *testing.T, s *Store, connected bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for s.Health().Connected != connected {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("health is %+v", s.Health())
		}
	}
}

func TestAStoreDoesNotGoBackWhenEtcdLosesHistory(t *testing.T) {
	e := startEtcd(t)
	s := e.replica(Config{})
	commit(t, s, put(t, 1, "a"))
	was := commit(t, s, put(t, 2, "a"))
	if _, err := e.client.Delete(t.Context(), "/deltaplane/", clientv3.WithPrefix()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Commit(t.Context(), put(t, 3, "a")); !errors.Is(err, ErrUnavailable) || !errors.Is(err, errWentBack) {
		t.Fatalf("a commit ends with %v", err)
	}
	if s.Latest().Version() != was {
		t.Fatal("the snapshot that was served is gone")
	}
}

func TestARecordThatDoesNotLeadToItsTreeIsNeverServed(t *testing.T) {
	e := startEtcd(t)
	s := e.replica(Config{})
	commit(t, s, put(t, 1, "a"))
	b := newBatch(s.Latest())
	if err := put(t, 2, "a")(b); err != nil {
		t.Fatal(err)
	}
	d, err := draftOf(b, &tables{}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	d.record.Root[0] ^= 1
	p := &proposal{base: s.position(), ops: 1}
	if err := p.add(d); err != nil {
		t.Fatal(err)
	}
	ops, err := s.operations(p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.client.Txn(t.Context()).Then(ops...).Commit(); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for s.Health().Detail == "" {
		<-tick.C
	}
	if h := s.Health(); s.Latest().Version() != 1 || !strings.Contains(h.Detail, errDamaged.Error()) {
		t.Fatalf("version %d is served, health is %+v", s.Latest().Version(), h)
	}
}
