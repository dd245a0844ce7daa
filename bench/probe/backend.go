package probe

import (
	"bufio"
	"fmt"
	"net"
	"sync"
	"time"
)

// Backend answers every HTTP/1.1 request without a body with its own name, on
// 127.0.0.1.
type Backend struct {
	name    string
	listen  net.Listener
	serving sync.WaitGroup

	mu     sync.Mutex // guards the rest
	conns  map[net.Conn]bool
	closed bool
}

// NewBackend starts a backend on a free port. The caller must call Close.
func NewBackend(name string) (*Backend, error) {
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("backend %q: %w", name, err)
	}
	b := &Backend{name: name, listen: listen, conns: map[net.Conn]bool{}}
	b.serving.Go(b.accept)
	return b, nil
}

// Name is what it answers.
func (b *Backend) Name() string { return b.name }

// Port is where it listens.
func (b *Backend) Port() int { return b.listen.Addr().(*net.TCPAddr).Port }

func (b *Backend) accept() {
	for {
		conn, err := b.listen.Accept()
		if err != nil {
			return // closed
		}
		if !b.keep(conn) {
			conn.Close()
			continue
		}
		b.serving.Go(func() { b.serve(conn) })
	}
}

// keep notes a connection for Close, unless that has been called.
func (b *Backend) keep(conn net.Conn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.conns[conn] = true
	return !b.closed
}

// serve answers on one connection until it ends. The head of a request ends
// with an empty line; bodies are not expected.
func (b *Backend) serve(conn net.Conn) {
	defer func() {
		conn.Close()
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.conns, conn)
	}()
	answer := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(b.name), b.name)
	in := bufio.NewReader(conn)
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return // also for lines longer than the buffer, which no probe sends
		}
		if len(line) > 2 {
			continue
		}
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}

// Close ends all connections and returns when nothing is served any more.
func (b *Backend) Close() error {
	err := b.listen.Close()
	b.mu.Lock()
	b.closed = true
	for conn := range b.conns {
		_ = conn.SetDeadline(time.Unix(1, 0)) // ends serve
	}
	b.mu.Unlock()
	b.serving.Wait()
	return err
}
