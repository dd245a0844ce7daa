package dir

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/source"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience says when a test gives up, not how fast anything must be.
const patience = 30 * time.Second

func openStore(t *testing.T) *deltaplane.Store {
	t.Helper()
	s, err := deltaplane.Open(t.Context(), deltaplane.Config{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// watching is a directory with a source on it, and the store.
type watching struct {
	*testing.T
	dir    string
	store  *deltaplane.Store
	board  *source.Board
	report *source.Report
}

// watch runs a source on the directory until the test ends.
func watch(t *testing.T, dir string, change func(*Source)) *watching {
	t.Helper()
	w := &watching{T: t, dir: dir, store: openStore(t), board: &source.Board{}}
	w.report = w.board.Add(source.Identity{Kind: "dir", From: dir, Namespace: deltaplane.DefaultNamespace, Owner: "files"})
	log := slog.New(slog.DiscardHandler)
	s := New(Config{Path: dir, Settle: 10 * time.Millisecond, Logger: log},
		source.NewSyncer(source.Config{Store: w.store, Report: w.report, Logger: log}))
	if change != nil {
		change(s)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { s.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return w
}

// wait returns when the status is as accept wants it.
func (w *watching) wait(what string, accept func(source.Status) bool) source.Status {
	w.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		changed := w.board.Changed()
		status := w.report.Status()
		if accept(status) {
			return status
		}
		select {
		case <-changed:
		case <-deadline.C:
			w.Fatalf("waited for %s; the source is %+v", what, status)
		}
	}
}

// inSync waits until the store is in sync with n resources.
func (w *watching) inSync(n int) source.Status {
	w.Helper()
	return w.wait("the source to be in sync", func(s source.Status) bool { return s.State == source.InSync && s.Resources == n })
}

// broken waits until the source cannot be used, and returns why.
func (w *watching) broken() string {
	w.Helper()
	return w.wait("the source to be broken", func(s source.Status) bool { return s.State == source.Broken }).Problems.Error()
}

// put writes a file in one piece, making its directories.
func put(t *testing.T, name, content string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(name), 0o700))
	must(t, os.WriteFile(name, []byte(content), 0o600))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// cluster is a YAML document.
func cluster(name string) string {
	return "---\n\"@type\": type.googleapis.com/envoy.config.cluster.v3.Cluster\nname: " + name + "\nconnect_timeout: 1s\n"
}
