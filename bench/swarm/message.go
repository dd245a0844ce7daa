package swarm

import (
	"encoding/binary"
	"errors"
)

// sink takes messages in pieces.
type sink interface {
	begin()
	piece(b []byte) error
	end() error
}

// messages finds messages in the bytes of a connection or stream: each comes
// after its length in four bytes (big-endian), and with flags after a byte for
// those (gRPC over HTTP/2, "Length-Prefixed-Message").
type messages struct {
	to    sink
	flags int // bytes of them: 0 or 1

	prefix    [5]byte
	prefixLen int
	left      int // of the message
}

var errCompressed = errors.New("the server sent a compressed message")

// feed takes the next bytes.
func (m *messages) feed(b []byte) error {
	for len(b) > 0 {
		if size := m.flags + 4; m.prefixLen < size {
			n := copy(m.prefix[m.prefixLen:size], b)
			m.prefixLen, b = m.prefixLen+n, b[n:]
			if m.prefixLen < size {
				return nil
			}
			if m.flags > 0 && m.prefix[0] != 0 {
				return errCompressed
			}
			m.left = int(binary.BigEndian.Uint32(m.prefix[m.flags:]))
			m.to.begin()
		}
		n := min(m.left, len(b))
		if err := m.to.piece(b[:n]); err != nil {
			return err
		}
		m.left, b = m.left-n, b[n:]
		if m.left == 0 {
			m.prefixLen = 0
			if err := m.to.end(); err != nil {
				return err
			}
		}
	}
	return nil
}
