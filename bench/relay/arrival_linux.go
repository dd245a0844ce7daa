package relay

import (
	"errors"
	"net"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// arrivals reads from a connection, and tells when the last byte of what it
// reads came to this machine, by the kernel (SO_TIMESTAMPNS, socket(7)).
type arrivals struct {
	raw     syscall.RawConn
	control []byte
}

func newArrivals(conn *net.TCPConn) (*arrivals, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1) })
	return &arrivals{raw, make([]byte, unix.CmsgSpace(int(unsafe.Sizeof(unix.Timespec{}))))}, errors.Join(err, failed)
}

// read waits for bytes. 0 of them are the end. Where the kernel has not dated
// them, as the first ones, they arrived now.
func (a *arrivals) read(into []byte) (n int, at time.Time, err error) {
	var failed error
	used := 0
	err = a.raw.Read(func(fd uintptr) bool {
		for {
			n, used, _, _, failed = unix.Recvmsg(int(fd), into, a.control, 0)
			if !errors.Is(failed, unix.EINTR) {
				return !errors.Is(failed, unix.EAGAIN)
			}
		}
	})
	at = time.Now()
	if err = errors.Join(err, failed); err != nil {
		return 0, at, err
	}
	if dated, ok := datedIn(a.control[:used]); ok {
		at = dated
	}
	return n, at, nil
}

// datedIn is the time that control messages tell, if they do.
func datedIn(control []byte) (at time.Time, ok bool) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return at, false
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SO_TIMESTAMPNS && len(m.Data) >= int(unsafe.Sizeof(unix.Timespec{})) {
			return time.Unix((*unix.Timespec)(unsafe.Pointer(&m.Data[0])).Unix()), true
		}
	}
	return at, false
}
