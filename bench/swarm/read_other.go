//go:build !unix

package swarm

import "net"

// reader reads from a connection.
type reader struct {
	conn   *net.TCPConn
	buffer [16 << 10]byte
}

func newReader(conn *net.TCPConn) (*reader, error) { return &reader{conn: conn}, nil }

// read waits for bytes and hands them to take, which must not keep them.
func (r *reader) read(take func([]byte) error) error {
	n, err := r.conn.Read(r.buffer[:])
	if n > 0 {
		return take(r.buffer[:n])
	}
	return err
}
