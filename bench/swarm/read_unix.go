//go:build unix

package swarm

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
)

// reader reads from a connection into memory that it takes only once there is
// something to read: proxies are many, and most wait.
type reader struct {
	raw syscall.RawConn
}

func newReader(conn *net.TCPConn) (*reader, error) {
	raw, err := conn.SyscallConn()
	return &reader{raw}, err
}

const readBytes = 64 << 10

var spare = sync.Pool{New: func() any { return new([readBytes]byte) }}

// read waits for bytes and hands them to take, which must not keep them.
func (r *reader) read(take func([]byte) error) error {
	var buffer *[readBytes]byte
	var n int
	var bad error
	err := r.raw.Read(func(fd uintptr) bool {
		buffer = spare.Get().(*[readBytes]byte)
		for {
			n, bad = syscall.Read(int(fd), buffer[:])
			if !errors.Is(bad, syscall.EINTR) {
				break
			}
		}
		if errors.Is(bad, syscall.EAGAIN) {
			spare.Put(buffer)
			buffer = nil
			return false
		}
		return true
	})
	if buffer != nil {
		defer spare.Put(buffer)
	}
	switch {
	case err != nil:
		return err
	case bad != nil:
		return bad
	case n == 0:
		return io.EOF
	}
	return take(buffer[:n])
}
