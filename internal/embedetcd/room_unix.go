//go:build linux || darwin

package embedetcd

import "golang.org/x/sys/unix"

// freeBytes is the space left where dir is; not ok when that is not known.
func freeBytes(dir string) (uint64, bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return s.Bavail * uint64(s.Bsize), true
}
