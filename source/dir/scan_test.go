package dir

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// names are the listing's files below root.
func names(t *testing.T, root string, l *listing) []string {
	t.Helper()
	var names []string
	for _, f := range l.files {
		name, err := filepath.Rel(root, f.name)
		must(t, err)
		names = append(names, name)
	}
	return names
}

func TestFilesOfAllDepthsCountAndTemporaryOnesDoNot(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{
		"a.yaml", "b.yml", "c.json", "D.YAML", "sub/deep/e.yaml",
		".hidden.yaml", "..2026_11_22/f.yaml", ".git/g.yaml", "#h.yaml#", "i.yaml~", ".j.yaml.swp", "k.yaml.tmp", "l.txt", "4913",
	} {
		put(t, filepath.Join(root, name), cluster("x"))
	}
	must(t, os.Symlink("..2026_11_22", filepath.Join(root, "..data")))
	must(t, os.Symlink("..data/f.yaml", filepath.Join(root, "f.yaml")))
	must(t, os.Symlink("nowhere", filepath.Join(root, "dangling")))
	l := scan(root)
	if got, want := names(t, root, l), []string{"D.YAML", "a.yaml", "b.yml", "c.json", "f.yaml", "sub/deep/e.yaml"}; !slices.Equal(got, want) {
		t.Errorf("it lists %q, want %q", got, want)
	}
	if l.problems != nil {
		t.Errorf("problems: %v", l.problems)
	}
}

func TestWhatCannotBeListedIsAProblemThatNamesIt(t *testing.T) {
	for what, test := range map[string]struct {
		prepare func(t *testing.T, root string)
		name    string // of the problem's file
		says    string
	}{
		"a link to a directory above": {func(t *testing.T, root string) {
			put(t, root+"/sub/a.yaml", "")
			must(t, os.Symlink("..", root+"/sub/up"))
		}, "sub/up", "a directory that it is in"},
		"a link to itself": {func(t *testing.T, root string) { must(t, os.Symlink("a.yaml", root+"/a.yaml")) }, "a.yaml", "too many levels"},
		"a dangling link":  {func(t *testing.T, root string) { must(t, os.Symlink("gone", root+"/a.yaml")) }, "a.yaml", "no such file"},
		"a pipe":           {func(t *testing.T, root string) { must(t, unix.Mkfifo(root+"/a.yaml", 0o600)) }, "a.yaml", "not a regular file"},
		"a very large file": {func(t *testing.T, root string) {
			put(t, root+"/a.yaml", "")
			must(t, os.Truncate(root+"/a.yaml", 1<<40))
		}, "a.yaml", "67108864"},
		"no such directory":   {func(t *testing.T, root string) { must(t, os.Remove(root)) }, "", "no such file"},
		"a file in its place": {func(t *testing.T, root string) { must(t, os.Remove(root)); put(t, root, "") }, "", "not a directory"},
		"large files together": {func(t *testing.T, root string) {
			for _, name := range []string{"a", "b", "c", "d", "e"} {
				put(t, root+"/"+name+".yaml", "")
				must(t, os.Truncate(root+"/"+name+".yaml", maxFileBytes))
			}
		}, "e.yaml", "268435456"},
		"directories too deep": {func(t *testing.T, root string) {
			must(t, os.MkdirAll(root+strings.Repeat("/d", maxDepth), 0o700))
		}, strings.TrimPrefix(strings.Repeat("/d", maxDepth), "/"), "32 directories deep"},
	} {
		t.Run(what, func(t *testing.T) {
			root := filepath.Join(t.TempDir(), "root")
			must(t, os.Mkdir(root, 0o700))
			test.prepare(t, root)
			l := scan(root)
			if len(l.problems) != 1 || l.problems[0].File != filepath.Join(root, test.name) || !strings.Contains(l.problems[0].Message, test.says) {
				t.Errorf("problems %v, want one of %q that says %q", l.problems, test.name, test.says)
			}
		})
	}
}

func TestAnyTouchOfAFileMakesAnotherListing(t *testing.T) {
	root := t.TempDir()
	name := filepath.Join(root, "a.yaml")
	put(t, name, "aa")
	before := scan(root)
	for what, touch := range map[string]func(){
		"replaced":  func() { put(t, name+".tmp", "aa"); must(t, os.Rename(name+".tmp", name)) },
		"rewritten": func() { put(t, name, "ab") },
		"longer":    func() { put(t, name, "aba") },
		"protected": func() { must(t, os.Chmod(name, 0o400)) },
		"renamed":   func() { must(t, os.Rename(name, root+"/b.yaml")); must(t, os.Rename(root+"/b.yaml", name)) },
		"gone":      func() { must(t, os.Remove(name)) },
	} {
		touch()
		if now := scan(root); now.equal(before) {
			t.Errorf("a file that was %s looks as before", what)
		}
		must(t, os.RemoveAll(name))
		put(t, name, "aa")
		before = scan(root)
	}
}
