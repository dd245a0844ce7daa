package embedetcd_test

import (
	"bytes"
	"errors"
	"log/slog"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/goleak"

	"github.com/deltaplane/deltaplane/internal/embedetcd"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, dir string, log *slog.Logger) *embedetcd.Server {
	t.Helper()
	s, err := embedetcd.Start(t.Context(), dir, 64<<20, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestDataOutlivesTheServer(t *testing.T) {
	dir := t.TempDir()
	first := start(t, dir, slog.New(slog.DiscardHandler))
	if _, err := first.Client.Put(t.Context(), "k", "v"); err != nil {
		t.Fatal(err)
	}
	first.Close()
	second := start(t, dir, slog.New(slog.DiscardHandler))
	got, err := second.Client.Get(t.Context(), "k")
	if err != nil || len(got.Kvs) != 1 || string(got.Kvs[0].Value) != "v" {
		t.Fatalf("after a restart: %v, %v", got, err)
	}
}

func TestASecondServerOnADirectoryIsToldThatItIsInUse(t *testing.T) {
	dir := t.TempDir()
	first := start(t, dir, slog.New(slog.DiscardHandler))
	if _, err := embedetcd.Start(t.Context(), dir, 64<<20, slog.New(slog.DiscardHandler)); !errors.Is(err, embedetcd.ErrInUse) {
		t.Fatalf("error is %v, want ErrInUse", err)
	}
	first.Close()
	start(t, dir, slog.New(slog.DiscardHandler))
}

func TestTheLogBeginsWithASnapshotBeforeEtcdForgetsItsBeginning(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir, slog.New(slog.DiscardHandler))
	for range 120 {
		if _, err := s.Client.Put(t.Context(), "k", "v"); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	start(t, dir, slog.New(slog.DiscardHandler)).Close() // its first election is all right
	if found, err := filepath.Glob(filepath.Join(dir, "etcd", "member", "snap", "*.snap")); err != nil || len(found) == 0 {
		t.Errorf("after 120 entries there is no snapshot, %v", err)
	}
}

// All that a large load wrote would stay in memory otherwise.
func TestEtcdForgetsWhatItsLogBeganWith(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir, slog.New(slog.DiscardHandler))
	const size, most = 16 << 10, 750 // up to 490 were seen
	before := heapBytes()
	// Etcd forgets beside its writes, which on a busy machine may be ahead of that.
	written, entries := int64(0), int64(0)
	for written < 1000 || entries > most && written < 1500 {
		if _, err := s.Client.Put(t.Context(), "k", strings.Repeat("v", size)); err != nil {
			t.Fatal(err)
		}
		if written++; written >= 1000 {
			entries = (heapBytes() - before) / size
		}
	}
	if entries > most {
		t.Errorf("memory holds %d of %d entries", entries, written)
	}
	s.Close()
	got, err := start(t, dir, slog.New(slog.DiscardHandler)).Client.Get(t.Context(), "k")
	if err != nil || len(got.Kvs) != 1 || got.Kvs[0].Version != written {
		t.Errorf("after a restart: %v, %v", got, err)
	}
}

func heapBytes() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestServersRunSideBySide(t *testing.T) {
	a, b := start(t, t.TempDir(), slog.New(slog.DiscardHandler)), start(t, t.TempDir(), slog.New(slog.DiscardHandler))
	if _, err := a.Client.Put(t.Context(), "k", "a"); err != nil {
		t.Fatal(err)
	}
	if got, err := b.Client.Get(t.Context(), "k"); err != nil || got.Count != 0 {
		t.Fatalf("the other server has %v, %v", got, err)
	}
}

func TestAnOrderlyLifeLogsNoWarning(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelWarn}))
	s := start(t, t.TempDir(), log)
	w := s.Client.Watch(t.Context(), "k", clientv3.WithCreatedNotify())
	<-w
	s.Close()
	if out.Len() > 0 {
		t.Error(out.String())
	}
}

// Private keys are among the values.
func TestNoValueStandsInTheLog(t *testing.T) {
	const secret = "xyzzy-private-key"
	var out bytes.Buffer
	s := start(t, t.TempDir(), slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if _, err := s.Client.Txn(t.Context()).Then(clientv3.OpPut("k", secret)).Commit(); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if out.Len() == 0 || strings.Contains(out.String(), secret) {
		t.Errorf("%d bytes of log, the value in them: %t", out.Len(), strings.Contains(out.String(), secret))
	}
}
