//go:build faults && linux

package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/deltaplane/deltaplane/internal/envoytest"
	"github.com/deltaplane/deltaplane/internal/fault"
	"github.com/deltaplane/deltaplane/internal/faulttest"
)

// smallDisk is a file system of its own, which needs root.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Fatalf("this test needs a small file system, and thus root: sudo make test-faults: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill leaves so many bytes of dir's file system.
func fill(t *testing.T, dir string, leave int64) (empty func()) {
	t.Helper()
	f, err := os.CreateTemp(dir, "filler")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	piece := make([]byte, 4<<20)
	for {
		var s syscall.Statfs_t
		if err := syscall.Statfs(dir, &s); err != nil {
			t.Fatal(err)
		}
		if int64(s.Bavail)*s.Bsize <= leave {
			break
		}
		if _, err := f.Write(piece); err != nil {
			break // full
		}
	}
	return func() {
		if err := os.Remove(f.Name()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAFullDiskUnderTheEmbeddedEtcdRefusesCommitsUntilThereIsSpace(t *testing.T) {
	dir := smallDisk(t, "512m")
	s := newScene(t, seeded(t), "--data-dir", filepath.Join(dir, "data"))
	empty := fill(t, dir, 40<<20)
	s.refusedForSpace("free some, and try again")
	empty()
	s.commit(s.change())
	s.end()
}

// The disk fills faster than anybody looks, and etcd itself cannot write. The
// process lives on with what it has, and a restart has all.
func TestAnEmbeddedEtcdThatCannotWriteEndsAlone(t *testing.T) {
	dir := smallDisk(t, "512m")
	s := newScene(t, seeded(t), "--data-dir", filepath.Join(dir, "data"))
	s.restart(fault.Variable + "=store.proposed:pause=3s") // after it has looked for space
	most := fill(t, dir, 256<<20)                          // so that the rest takes a moment
	pending := s.huge()
	done := make(chan error, 1)
	go func() { done <- s.try(pending) }()
	s.plane.WaitLog("fault: pause")
	empty := fill(t, dir, 0)
	// Where it fits into what the write-ahead log has set aside, it is durable,
	// and may be acknowledged before the database finds that it cannot grow.
	if err := <-done; err != nil && !strings.Contains(err.Error(), "503") {
		t.Fatalf("a commit that does not fit on the disk: %v", err)
	}
	envoytest.Eventually(t, "the failure shows", func(ctx context.Context) error {
		ready, store, err := s.plane.Readiness(ctx)
		if err != nil || !ready || store.Connected || !strings.Contains(store.Detail, "the embedded etcd has failed") {
			return fmt.Errorf("ready %v, store %+v, %v", ready, store, err)
		}
		return nil
	})
	if err := s.try(s.change()); err == nil || !strings.Contains(err.Error(), "restart") {
		t.Errorf("the next commit: %v", err)
	}
	s.settle()
	s.plane.Stop() // ends in order, too
	most()
	empty()
	s.plane.Env = nil
	s.plane.Start()
	s.recovered(pending)
	s.commit(s.change())
	s.end()
}

// huge is a change with 45 MB of content.
func (s *scene) huge() map[string]string {
	next := s.change()
	var many strings.Builder
	for i := range 15 {
		fmt.Fprintf(&many, "\"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret\nname: huge-%d\n"+
			"generic_secret: {secret: {inline_string: \"%d-%s\"}}\n---\n", i, s.made, strings.Repeat("x", 3<<20))
	}
	next["huge"] = many.String()
	return next
}

func TestAFullDiskUnderAnExternalEtcdLosesNothing(t *testing.T) {
	dir := smallDisk(t, "256m")
	e := faulttest.StartEtcd(t, filepath.Join(dir, "etcd"))
	s := newScene(t, seeded(t), "--etcd-endpoints", e.Endpoint())
	empty := fill(t, dir, 0)
	var pending map[string]string
	for range 500 {
		pending = s.large()
		if err := s.try(pending); err != nil {
			if !strings.Contains(err.Error(), "503") {
				t.Fatal(err)
			}
			break
		}
		pending = nil
	}
	if pending == nil {
		t.Fatal("etcd still writes; the test shows nothing")
	}
	s.settle()
	empty()
	e.Restart()
	s.back()
	s.recovered(pending)
	envoytest.Eventually(t, "etcd to take commits again", func(context.Context) error { return s.try(s.change()) })
	s.end()
}

func (s *scene) restart(env ...string) {
	s.t.Helper()
	s.plane.Kill()
	s.plane.Env = env
	s.plane.Start()
}
