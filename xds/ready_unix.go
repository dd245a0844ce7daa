//go:build unix

package xds

import (
	"errors"
	"io"
	"net"
	"syscall"

	"google.golang.org/grpc/mem"
)

// socket reads a TCP connection into a buffer that it takes only when there is
// something to read. One goroutine may use it. The zero socket is none.
type socket struct {
	raw     syscall.RawConn
	barrier *barrier
	try     func(fd uintptr) bool // read.attempt: made once, as each closure is an allocation

	// Of the read in progress.
	size  int
	tries int
	pool  mem.BufferPool
	buf   *[]byte
	n     int
	err   error
}

// newSocket is the zero socket for what is not TCP itself, as TLS on top of it.
func newSocket(conn net.Conn, b *barrier) *socket {
	s := &socket{barrier: b}
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return s
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return s // closed already: reading tells
	}
	s.raw, s.try = raw, s.attempt
	return s
}

// read waits until there is something to read. Without error, the buffer is
// the caller's to put back.
func (s *socket) read(size int, pool mem.BufferPool) (*[]byte, int, error) {
	s.size, s.tries, s.pool = size, 0, pool
	err := s.raw.Read(s.try)
	if s.tries == 1 {
		s.barrier.wait()
	}
	buf, n := s.buf, s.n
	if err == nil {
		err = s.err
	}
	if err == nil && n == 0 {
		err = io.EOF
	}
	s.pool, s.buf, s.n, s.err = nil, nil, 0, nil
	if err != nil && buf != nil {
		pool.Put(buf)
		buf, n = nil, 0
	}
	return buf, n, err
}

// attempt reports whether there was something to read, or never will be.
func (s *socket) attempt(fd uintptr) bool {
	if s.tries++; s.tries > 1 { // there is something now, which needs no memory yet
		s.barrier.wait()
	}
	s.buf = s.pool.Get(s.size)
	for {
		s.n, s.err = syscall.Read(int(fd), *s.buf)
		if !errors.Is(s.err, syscall.EINTR) {
			break
		}
	}
	if s.err != nil {
		s.n = 0
		s.pool.Put(s.buf)
		s.buf = nil
	}
	return !errors.Is(s.err, syscall.EAGAIN)
}
