package dir

import (
	"path/filepath"

	"github.com/fsnotify/fsnotify"
)

// spot is how a directory is to be watched.
type spot struct {
	id   identity // of the directory that was meant
	only string   // the one name in it that matters; "": all
}

// watched keeps fsnotify's watches in line with the directories that matter.
type watched struct {
	watcher *fsnotify.Watcher // nil: the system has none left
	dirs    map[string]spot   // by real path
}

// follow watches the listing's directories and no others. One that cannot be
// watched is left to the rescan.
//
// What moved between the scan and the new watch wakes nobody: when follow has
// added a watch it reports so, and the directory must be scanned again.
func (w watched) follow(l *listing) (added bool) {
	if w.watcher == nil {
		return false
	}
	alive := map[string]bool{} // fsnotify drops those that are deleted or renamed
	for _, path := range w.watcher.WatchList() {
		alive[path] = true
	}
	for path, old := range w.dirs {
		if now, ok := l.dirs[path]; !ok || now.id != old.id {
			_ = w.watcher.Remove(path) // it may have gone by itself
			delete(w.dirs, path)
			delete(alive, path)
		}
	}
	for path, now := range l.dirs {
		if !alive[path] {
			if w.watcher.Add(path) != nil {
				continue
			}
			added = true
		}
		w.dirs[path] = now
	}
	return added
}

// matters reports whether an event may be of something that is read.
func (w watched) matters(e fsnotify.Event) bool {
	if _, itself := w.dirs[e.Name]; itself {
		return true
	}
	in, ok := w.dirs[filepath.Dir(e.Name)]
	switch {
	case !ok:
		return true
	case in.only != "":
		return filepath.Base(e.Name) == in.only
	case e.Has(fsnotify.Create) || e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename):
		return true
	}
	return isConfiguration(e.Name)
}
