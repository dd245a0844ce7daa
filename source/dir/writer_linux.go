package dir

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// openForWriting asks for a read lease, which Linux grants only while nobody
// has the file open for writing, and gives it back at once. Leases are for the
// owner of a file (or CAP_LEASE), and not every file system has them: then it
// is not known. Who opens the file for writing in those microseconds waits for
// their end.
func openForWriting(f *os.File) (open, known bool) {
	raw, err := f.SyscallConn()
	if err != nil {
		return false, false
	}
	var lease error
	err = raw.Control(func(fd uintptr) {
		if _, lease = unix.FcntlInt(fd, unix.F_SETLEASE, unix.F_RDLCK); lease == nil {
			_, lease = unix.FcntlInt(fd, unix.F_SETLEASE, unix.F_UNLCK)
		}
	})
	if err != nil {
		return false, false
	}
	return lease == unix.EAGAIN, lease == nil || lease == unix.EAGAIN
}

// identify takes a file's identity from what stat says of it.
func identify(info os.FileInfo) identity {
	id := identity{size: info.Size(), written: info.ModTime().UnixNano()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		id.device, id.inode, id.meant = st.Dev, st.Ino, st.Ctim.Nano()
	}
	return id
}

// directoryIdentity tells a directory from another one of the same name.
func directoryIdentity(info os.FileInfo) identity {
	id := identify(info)
	return identity{device: id.device, inode: id.inode}
}
