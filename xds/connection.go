package xds

import (
	"bytes"
	"context"
	"net"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/peer"
)

// metered is a connection under the server's budgets: of memory for requests
// that arrive (inbound.go), and of processor time (pace.go).
type metered struct {
	net.Conn
	socket  *socket // under Conn, or none
	inbound *inbound
	barrier *barrier
	address address
	rest    []byte // that was read, and waits for room
}

// address leads from a stream to its connection: the remote address is all
// that gRPC tells of it.
type address struct {
	net.Addr
	pace    pace
	inbound *inbound // nil: the connection is not metered
}

func (m *metered) RemoteAddr() net.Addr { return m.address }

func (m *metered) Read(b []byte) (int, error) {
	if err := m.await(); err != nil {
		return 0, err
	}
	n, err := m.takeRest(b), error(nil)
	if n == 0 {
		n, err = m.Conn.Read(b)
		m.barrier.wait()
	}
	return m.pass(b[:n], err)
}

// ReadOnReady is Read into a buffer of pool's. gRPC asks a connection for this
// method, and without it holds a buffer of 32 KB for each that is idle.
func (m *metered) ReadOnReady(size int, pool mem.BufferPool) (buf *[]byte, n int, err error) {
	if err := m.await(); err != nil {
		return nil, 0, err
	}
	switch {
	case len(m.rest) > 0:
		buf = pool.Get(size)
		n = m.takeRest(*buf)
	case m.socket.raw != nil:
		buf, n, err = m.socket.read(size, pool)
	default:
		buf = pool.Get(size)
		n, err = m.Conn.Read(*buf)
		m.barrier.wait()
	}
	if buf == nil {
		_, err = m.pass(nil, err)
		return nil, 0, err
	}
	if n, err = m.pass((*buf)[:n], err); err != nil {
		pool.Put(buf)
		return nil, 0, err
	}
	return buf, n, nil
}

// await waits until more may be read.
func (m *metered) await() error {
	err := m.inbound.await()
	if err != nil {
		m.inbound.close()
	}
	return err
}

// takeRest takes what was read before.
func (m *metered) takeRest(b []byte) int {
	n := copy(b, m.rest)
	if m.rest = m.rest[n:]; len(m.rest) == 0 {
		m.rest = nil
	}
	return n
}

// pass meters what was read, and returns how much of it goes on. The error is
// err, or why no more is read.
func (m *metered) pass(b []byte, err error) (int, error) {
	n, fed := m.inbound.feed(b)
	if fed != nil {
		err = fed
	} else if n < len(b) {
		m.rest = append(bytes.Clone(b[n:]), m.rest...)
		err = nil // it comes again
	}
	if err != nil {
		m.inbound.close()
	}
	return n, err
}

func (m *metered) Close() error {
	m.inbound.close()
	return m.Conn.Close()
}

// Credentials puts the server's budgets for connections on top of creds. It
// is for the grpc.Creds of a server with TLS; for plain text GRPCOptions has
// it already.
func (s *Server) Credentials(creds credentials.TransportCredentials) credentials.TransportCredentials {
	return meteredCredentials{creds, s}
}

type meteredCredentials struct {
	credentials.TransportCredentials
	server *Server
}

func (c meteredCredentials) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := c.TransportCredentials.ServerHandshake(raw)
	if err != nil {
		return nil, nil, err
	}
	in := c.server.room.connect(conn)
	return &metered{Conn: conn, socket: newSocket(conn, &c.server.barrier), inbound: in, barrier: &c.server.barrier, address: address{conn.RemoteAddr(), c.server.newPace(), in}}, info, nil
}

func (c meteredCredentials) Clone() credentials.TransportCredentials {
	return meteredCredentials{c.TransportCredentials.Clone(), c.server}
}

func (s *Server) newPace() pace {
	return pace{newBucket(ownShare, requestBurst, s.cfg.now()), s.floods}
}

// inboundOf is that of the connection that a stream came over, nil without.
func inboundOf(ctx context.Context) *inbound {
	if p, ok := peer.FromContext(ctx); ok {
		if a, ok := p.Addr.(address); ok {
			return a.inbound
		}
	}
	return nil
}

// addressOf is that of the connection that a stream came over. If the
// grpc.Server was made without Credentials, the stream has a budget of its own.
func (s *Server) addressOf(ctx context.Context) address {
	if p, ok := peer.FromContext(ctx); ok {
		if a, ok := p.Addr.(address); ok {
			return a
		}
	}
	return address{pace: s.newPace()}
}
