package dir

import "github.com/fsnotify/fsnotify"

// watched keeps fsnotify's watches in line with the directories that matter.
type watched struct {
	watcher *fsnotify.Watcher
	dirs    map[string]identity // real path, and which directory it was
}

func newWatched(w *fsnotify.Watcher) watched { return watched{w, map[string]identity{}} }

// follow watches the listing's directories and no others. One that cannot be
// watched is left to the rescan.
//
// What moved between the scan and the new watch wakes nobody: when follow has
// added a watch it reports so, and the directory must be scanned again.
func (w watched) follow(l *listing) (added bool) {
	alive := map[string]bool{} // fsnotify drops those that are deleted or renamed
	for _, path := range w.watcher.WatchList() {
		alive[path] = true
	}
	for path, id := range w.dirs {
		if now, ok := l.dirs[path]; !ok || now != id {
			_ = w.watcher.Remove(path) // it may have gone by itself
			delete(w.dirs, path)
			delete(alive, path)
		}
	}
	for path, id := range l.dirs {
		if alive[path] && w.dirs[path] == id {
			continue
		}
		if w.watcher.Add(path) == nil {
			w.dirs[path] = id
			added = true
		}
	}
	return added
}
