package dir

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/deltaplane/deltaplane/resource"
)

// asAnother runs work as another user than the files', when the test runs as
// one who may do anything.
func asAnother(t *testing.T, work func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		work()
		return
	}
	runtime.LockOSThread() // permissions are a thread's
	defer runtime.UnlockOSThread()
	const nobody = 65534
	header := &unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var before [2]unix.CapUserData
	must(t, unix.Capget(header, &before[0]))
	less := before
	less[0].Effective &^= 1 << unix.CAP_LEASE
	must(t, unix.Capset(header, &less[0]))
	_, err := unix.SetfsuidRetUid(nobody)
	must(t, err)
	defer func() {
		_, err := unix.SetfsuidRetUid(0)
		if err := errors.Join(err, unix.Capset(header, &before[0])); err != nil {
			panic(err) // the thread must not be used again
		}
	}()
	work()
}

// open lets everybody into the directory and those above it that are the
// test's.
func open(t *testing.T, dir string) {
	t.Helper()
	for ; strings.HasPrefix(dir, os.TempDir()+"/"); dir = filepath.Dir(dir) {
		must(t, os.Chmod(dir, 0o755))
	}
}

func TestWhatMayNotBeReadIsAProblem(t *testing.T) {
	root := t.TempDir()
	open(t, root)
	put(t, root+"/a.yaml", cluster("a"))
	must(t, os.Chmod(root+"/a.yaml", 0))
	must(t, os.Mkdir(root+"/b", 0))
	asAnother(t, func() {
		l := scan(root)
		if len(l.problems) != 1 || l.problems[0].File != root+"/b" || !strings.Contains(l.problems[0].Message, "permission denied") {
			t.Errorf("problems of the directory: %v", l.problems)
		}
		c := cache{}
		_, problems, ok := c.read(l, resource.Decoder{})
		if !ok || len(problems) != 1 || problems[0].File != root+"/a.yaml" || !strings.Contains(problems[0].Message, "permission denied") {
			t.Errorf("read: %v %v", ok, problems)
		}
	})
	must(t, os.Chmod(root+"/b", 0o700)) // for the cleaning up
}

// Linux tells the owner of a file, and nobody else, that it is open for
// writing.
func TestWhoHasAFileOpenIsKnownOfOnesOwnFiles(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.yaml")
	open(t, filepath.Dir(name))
	put(t, name, "")
	must(t, os.Chmod(name, 0o644))
	look := func() (open, known bool) {
		f, err := openRegular(name)
		must(t, err)
		defer f.Close()
		return openForWriting(f)
	}
	if open, known := look(); open || !known {
		t.Errorf("nobody has it: open %v, known %v", open, known)
	}
	writer, err := os.OpenFile(name, os.O_WRONLY, 0)
	must(t, err)
	defer writer.Close()
	if open, known := look(); !open || !known {
		t.Errorf("a writer has it: open %v, known %v", open, known)
	}
	if os.Geteuid() == 0 {
		asAnother(t, func() {
			if _, known := look(); known {
				t.Error("it is known of somebody else's file")
			}
		})
	}
}
