package relay

import (
	"encoding/binary"
	"time"
)

// preface is what a client's connection begins with (RFC 9113, section 3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// What is needed of HTTP/2's frames (RFC 9113, sections 4.1 and 6.1) and of
// gRPC's messages, which begin with a byte that says whether they are
// compressed, and their length.
const (
	frameHead   = 9
	frameData   = 0
	padded      = 0x8
	messageHead = 5
)

// messageMost bounds what is kept of one message; a larger one is not found.
const messageMost = 64 << 20

// reader finds gRPC's messages in one way of a connection, as it passes in
// pieces of any size.
type reader struct {
	skip  int // bytes before the next frame
	found func(body []byte, received time.Time)

	head   []byte // of the frame that has begun; whole once its content comes
	left   int    // of its content
	stream uint32
	data   bool // its content is a part of messages

	streams map[uint32]*message
}

// message is the one that a stream has begun.
type message struct {
	head []byte
	left int
	body []byte
	lost bool // its body is not kept
}

// take reads a piece whose last byte arrived at received.
func (r *reader) take(piece []byte, received time.Time) {
	for len(piece) > 0 {
		switch {
		case r.skip > 0:
			n := min(r.skip, len(piece))
			r.skip, piece = r.skip-n, piece[n:]
		case len(r.head) < frameHead:
			n := min(frameHead-len(r.head), len(piece))
			r.head, piece = append(r.head, piece[:n]...), piece[n:]
			if len(r.head) == frameHead {
				r.begin()
			}
		default:
			n := min(r.left, len(piece))
			if r.data {
				r.content(piece[:n], received)
			}
			r.left, piece = r.left-n, piece[n:]
		}
		if len(r.head) == frameHead && r.left == 0 {
			r.head = r.head[:0]
		}
	}
}

// begin reads the head of a frame. No gRPC that is known pads its frames; who
// does has messages that are not found.
func (r *reader) begin() {
	r.left = int(r.head[0])<<16 | int(r.head[1])<<8 | int(r.head[2])
	r.stream = binary.BigEndian.Uint32(r.head[5:]) &^ (1 << 31)
	r.data = r.head[3] == frameData && r.head[4]&padded == 0
}

// content is a part of a stream's messages.
func (r *reader) content(part []byte, received time.Time) {
	if r.streams == nil {
		r.streams = map[uint32]*message{}
	}
	m := r.streams[r.stream]
	if m == nil {
		m = &message{}
		r.streams[r.stream] = m
	}
	for len(part) > 0 {
		if len(m.head) < messageHead {
			n := min(messageHead-len(m.head), len(part))
			m.head, part = append(m.head, part[:n]...), part[n:]
			if len(m.head) < messageHead {
				return
			}
			m.left = int(binary.BigEndian.Uint32(m.head[1:]))
			m.lost = m.head[0] != 0 || m.left > messageMost
			m.body = m.body[:0]
		}
		n := min(m.left, len(part))
		if !m.lost {
			m.body = append(m.body, part[:n]...)
		}
		m.left, part = m.left-n, part[n:]
		if m.left > 0 {
			return
		}
		if !m.lost {
			r.found(m.body, received)
		}
		m.head = m.head[:0]
	}
}
