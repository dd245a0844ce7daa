package dir

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/deltaplane/deltaplane/resource"
)

// What a directory may hold.
const (
	maxFiles      = 10_000
	maxDepth      = 32        // of directories in each other
	maxFileBytes  = 64 << 20  // of one file
	maxTotalBytes = 256 << 20 // of all files
)

// identity changes whenever the content of a file may have.
type identity struct {
	device, inode  uint64
	size           int64
	written, meant int64 // modification and change of the inode, Unix nanoseconds
}

// file is one that configuration is read from.
type file struct {
	name string // as users know it: below the directory that they named
	id   identity
}

// listing is what a directory holds, without the content.
type listing struct {
	files    []file            // by name
	problems resource.Problems // of what cannot be looked at
	dirs     map[string]spot   // to be watched, by real path
}

// equal reports whether two listings are of the same files, untouched.
func (l *listing) equal(other *listing) bool {
	return slices.Equal(l.files, other.files) && slices.Equal(l.problems, other.problems)
}

// isConfiguration reports whether a file's name is that of a source. Editors'
// and other tools' temporary files have other extensions or hidden names.
func isConfiguration(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}

// scanner is one scan.
type scanner struct {
	*listing
	bytes int64
}

// scan lists the files at or below root, without reading them. Hidden names
// are ignored; symbolic links are followed.
func scan(root string) *listing {
	s := scanner{listing: &listing{dirs: map[string]spot{}}}
	s.above(root)
	info, err := os.Stat(root)
	switch {
	case err != nil:
		s.fail(root, reason(err))
	case !info.IsDir():
		s.fail(root, "is not a directory: watch the directory that it is in")
	default:
		s.directory(root, nil)
	}
	slices.SortFunc(s.files, func(a, b file) int { return cmp.Compare(a.name, b.name) })
	return s.listing
}

// fail notes what is wrong with a file or directory.
func (s *scanner) fail(name, message string) {
	s.problems = append(s.problems, resource.Problem{File: name, Message: message})
}

// watch notes a directory whose events matter, or only those of one name in
// it. It reports whether there is such a directory.
func (s *scanner) watch(path, only string) bool {
	actual, err := filepath.EvalSymlinks(path)
	if err != nil {
		return false
	}
	info, err := os.Stat(actual)
	if err != nil || !info.IsDir() {
		return false
	}
	if have, ok := s.dirs[actual]; !ok || have.only != "" {
		s.dirs[actual] = spot{directoryIdentity(info), only}
	}
	return true
}

// above notes the nearest directory above path: what has its name there, or
// will have, leads to it.
func (s *scanner) above(path string) {
	for parent := filepath.Dir(path); !s.watch(parent, filepath.Base(path)) && parent != path; parent = filepath.Dir(path) {
		path = parent
	}
}

// directory lists one directory; above are those that it is in.
func (s *scanner) directory(path string, above []os.FileInfo) {
	s.watch(path, "")
	info, err := os.Stat(path)
	if err != nil {
		s.fail(path, reason(err))
		return
	}
	if slices.ContainsFunc(above, func(a os.FileInfo) bool { return os.SameFile(a, info) }) {
		s.fail(path, "is a symbolic link to a directory that it is in: remove it")
		return
	}
	if len(above) == maxDepth {
		s.fail(path, fmt.Sprintf("is more than %d directories deep", maxDepth))
		return
	}
	names, err := os.ReadDir(path)
	if err != nil {
		s.fail(path, reason(err))
		return
	}
	for _, entry := range names {
		if strings.HasPrefix(entry.Name(), ".") || len(s.files) > maxFiles {
			continue
		}
		s.entry(filepath.Join(path, entry.Name()), entry, append(above, info))
	}
}

// entry lists one name in a directory.
func (s *scanner) entry(path string, entry fs.DirEntry, above []os.FileInfo) {
	linked := entry.Type()&fs.ModeSymlink != 0
	if !linked && !entry.IsDir() && !isConfiguration(path) {
		return
	}
	info, err := os.Stat(path)
	switch {
	case err != nil && linked && !isConfiguration(path):
		return // it leads nowhere, and would not matter if it did
	case errors.Is(err, fs.ErrNotExist) && !linked:
		return // gone again
	case err != nil:
		s.fail(path, reason(err))
	case info.IsDir():
		s.directory(path, above)
	case !isConfiguration(path):
	case !info.Mode().IsRegular():
		s.fail(path, "is not a regular file")
	default:
		if linked {
			if actual, err := filepath.EvalSymlinks(path); err == nil {
				s.watch(filepath.Dir(actual), filepath.Base(actual))
			}
		}
		s.file(path, info)
	}
}

// file lists one file that configuration is read from.
func (s *scanner) file(path string, info os.FileInfo) {
	if info.Size() > maxFileBytes {
		s.fail(path, fmt.Sprintf("takes %d bytes, but one file may have %d: split it", info.Size(), maxFileBytes))
		return
	}
	if s.bytes += info.Size(); s.bytes > maxTotalBytes && s.bytes-info.Size() <= maxTotalBytes {
		s.fail(path, fmt.Sprintf("with this file there are more than the %d bytes that one directory may have", maxTotalBytes))
	}
	s.files = append(s.files, file{path, identify(info)})
	if len(s.files) == maxFiles+1 {
		s.fail(path, fmt.Sprintf("with this file there are more than the %d that one directory may have", maxFiles))
	}
}

// reason is an error of the file system without the path, which is said
// elsewhere.
func reason(err error) string {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err.Error()
	}
	return err.Error()
}
