package dir

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/source"
)

// holds lists the clusters in the store.
func (w *watching) holds() string {
	var names []string
	for k := range w.store.Latest().List(deltaplane.DefaultNamespace, resource.Cluster) {
		names = append(names, k.Name)
	}
	return strings.Join(names, " ")
}

func TestTheStoreFollowsFilesThatComeChangeMoveAndGo(t *testing.T) {
	w := watch(t, t.TempDir(), nil)
	if text := w.broken(); !strings.HasPrefix(text, w.dir+": holds no *.yaml") {
		t.Errorf("an empty directory is told as %q", text)
	}
	for _, step := range []struct {
		what string
		do   func()
		want string
	}{
		{"a file", func() { put(t, w.dir+"/a.yaml", cluster("a")) }, "a"},
		{"two more, in a new directory", func() {
			put(t, w.dir+"/sub/b.yaml", cluster("b"))
			put(t, w.dir+"/sub/deep/c.json", `{"resources":[]}`)
		}, ""},
		{"one of them mended", func() {
			put(t, w.dir+"/sub/deep/c.json", `{"@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", "name": "c"}`)
		}, "a b c"},
		{"an atomic rename", func() { put(t, w.dir+"/.tmp", cluster("a2")); must(t, os.Rename(w.dir+"/.tmp", w.dir+"/a.yaml")) }, "a2 b c"},
		{"a directory moved away", func() { must(t, os.Rename(w.dir+"/sub", w.dir+"/.sub")) }, "a2"},
		{"and another in its place", func() { put(t, w.dir+"/sub/d.yaml", cluster("d")) }, "a2 d"},
		{"which goes on to be watched", func() { put(t, w.dir+"/sub/d.yaml", cluster("e")) }, "a2 e"},
		{"a removed file", func() { must(t, os.Remove(w.dir+"/a.yaml")) }, "e"},
	} {
		step.do()
		if step.want == "" {
			w.broken()
			continue
		}
		w.inSync(len(strings.Fields(step.want)))
		w.wait(step.what, func(source.Status) bool { return w.holds() == step.want })
	}
	// The last file, and then the directory, remove nothing.
	must(t, os.RemoveAll(w.dir+"/sub"))
	w.broken()
	must(t, os.RemoveAll(w.dir))
	w.wait("the directory to be missed", func(s source.Status) bool { return strings.Contains(s.Problems.Error(), "no such file") })
	if w.holds() != "e" {
		t.Errorf("without the directory the store holds %q, want what it had", w.holds())
	}
	put(t, w.dir+"/back.yaml", cluster("back"))
	w.wait("the directory's return", func(s source.Status) bool { return s.State == source.InSync && w.holds() == "back" })
}

func TestABrokenFileKeepsTheLastGoodStateOfAll(t *testing.T) {
	w := watch(t, t.TempDir(), nil)
	put(t, w.dir+"/a.yaml", cluster("a"))
	put(t, w.dir+"/b.yaml", cluster("b"))
	w.inSync(2)
	for what, test := range map[string]struct{ content, says string }{
		"no YAML":              {"---\n\"@type\": [", "/b.yaml:"},
		"an unknown field":     {cluster("b") + "conect_timeout: 1s\n", "/b.yaml:5:1: Cluster \"b\": unknown field"},
		"a value out of range": {cluster("b") + "lb_policy: FOO\n", "/b.yaml:5:12: Cluster \"b\": lb_policy"},
		"the name of another":  {cluster("a"), "stands twice: also at " + w.dir + "/a.yaml"},
		"nothing":              {"", "holds no resources"},
		"nothing but comments": {"# not yet\n", "holds no resources"},
	} {
		t.Run(what, func(t *testing.T) {
			put(t, w.dir+"/a.yaml", cluster("a")+"# "+what)
			put(t, w.dir+"/b.yaml", test.content)
			if text := w.broken(); !strings.Contains(text, test.says) {
				t.Errorf("it is told as %q, want %q in it", text, test.says)
			}
			if w.holds() != "a b" {
				t.Errorf("the store holds %q", w.holds())
			}
			put(t, w.dir+"/b.yaml", cluster("b"))
			w.inSync(2)
		})
	}
	if v := w.store.Latest().Version(); v > 2 {
		t.Errorf("broken files made %d versions", v)
	}
}

// Links that lead to links are not watched all along; the rescan finds out.
func TestWhatNoEventTellsOfIsFoundByLookingAgain(t *testing.T) {
	away := t.TempDir()
	put(t, away+"/one/a.yaml", cluster("one"))
	put(t, away+"/two/a.yaml", cluster("two"))
	must(t, os.Mkdir(away+"/middle", 0o700))
	must(t, os.Symlink(away+"/one/a.yaml", away+"/middle/link"))
	dir := t.TempDir()
	must(t, os.Symlink(away+"/middle/link", dir+"/a.yaml"))
	w := watch(t, dir, func(s *Source) { s.cfg.Rescan = 20 * time.Millisecond })
	w.inSync(1)
	must(t, os.Symlink(away+"/two/a.yaml", away+"/middle/next"))
	must(t, os.Rename(away+"/middle/next", away+"/middle/link"))
	w.wait("the other file", func(source.Status) bool { return w.holds() == "two" })
}

func TestWithoutAnyEventsFilesAreFollowedAllTheSame(t *testing.T) {
	dir := t.TempDir()
	put(t, dir+"/a.yaml", cluster("a"))
	w := watch(t, dir, func(s *Source) {
		s.cfg.Rescan = 20 * time.Millisecond
		s.events = func(uint) (*fsnotify.Watcher, error) { return nil, errors.New("too many open files") }
	})
	w.inSync(1)
	put(t, dir+"/b.yaml", cluster("b"))
	w.inSync(2)
}

func TestEventsOfOtherFilesWakeNobody(t *testing.T) {
	w := watched{dirs: map[string]spot{"/conf": {}, "/": {only: "conf"}, "/links": {only: "a.yaml"}}}
	for _, e := range []struct {
		name string
		op   fsnotify.Op
		want bool
	}{
		{"/conf/a.yaml", fsnotify.Write, true}, {"/conf/a.yaml", fsnotify.Chmod, true}, {"/conf/a.log", fsnotify.Write, false},
		{"/conf/..data", fsnotify.Create, true}, {"/conf/sub", fsnotify.Create, true}, {"/conf/sub", fsnotify.Rename, true},
		{"/conf", fsnotify.Remove, true}, {"/other", fsnotify.Create, false}, {"/links/a.yaml", fsnotify.Write, true}, {"/links/b.yaml", fsnotify.Write, false},
		{"/unheard/of", fsnotify.Write, true},
	} {
		if got := w.matters(fsnotify.Event{Name: e.name, Op: e.op}); got != e.want {
			t.Errorf("%s of %s matters: %v", e.op, e.name, got)
		}
	}
}

func TestALinkThatLeadsToAnotherDirectoryIsOneCommit(t *testing.T) {
	base := t.TempDir()
	for _, release := range []string{"one", "two"} {
		put(t, filepath.Join(base, release, "a.yaml"), cluster(release+"-a"))
		put(t, filepath.Join(base, release, "b.yaml"), cluster(release+"-b"))
	}
	must(t, os.Symlink("one", base+"/current"))
	w := watch(t, base+"/current", nil)
	w.inSync(2)
	must(t, os.Symlink("two", base+"/next"))
	must(t, os.Rename(base+"/next", base+"/current"))
	w.wait("the other directory", func(source.Status) bool { return w.holds() == "two-a two-b" })
	if v := w.store.Latest().Version(); v != 2 {
		t.Errorf("the store is at version %d, want 2", v)
	}
	put(t, base+"/two/b.yaml", cluster("two-c"))
	w.wait("the other directory to be watched", func(source.Status) bool { return w.holds() == "two-a two-c" })
}

// Of files whose writers the operating system does not tell, the source waits
// for longer.
func TestWithoutTheSystemsHelpADirectoryRestsForLonger(t *testing.T) {
	dir := t.TempDir()
	put(t, dir+"/a.yaml", cluster("a"))
	looked := time.Time{}
	w := watch(t, dir, func(s *Source) {
		s.cfg.Blind = 50 * time.Millisecond
		s.probe = func(*os.File) (open, known bool) {
			if looked.IsZero() {
				looked = time.Now()
			}
			return false, false
		}
	})
	status := w.inSync(1)
	if waited := status.Applied.Sub(looked); waited < 50*time.Millisecond {
		t.Errorf("it was read after %s, want 50 ms", waited)
	}
}
