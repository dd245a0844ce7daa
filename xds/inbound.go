package xds

import (
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"sync/atomic"
)

// inbound counts what is arriving on one connection: it reads the frames of
// HTTP/2 (RFC 9113, section 4) and the prefixes of gRPC's messages in them as
// they pass by, since gRPC tells of a message only when all of it is there. A
// message whose prefix announces more than small takes room from there on, and
// gives it back when it has been decoded; meanwhile nothing more is read from a
// connection for whose message there is no room.
type inbound struct {
	// Fixed at birth.
	room   *room
	conn   net.Conn
	limit  int // what announces more, gRPC refuses by itself
	most   int // messages that may be arriving at a time
	closed chan struct{}
	once   sync.Once

	spoke atomic.Bool // some of a message has come

	held    int            // bytes of room; guarded by room.mu, as all up to gone
	unread  int            // of these: of messages that are there and not decoded
	last    map[uint32]int // of the last such message of each stream that goes on
	streams int            // that have a handler
	gone    bool           // it gets no more

	// Touched only by feed.
	preface int // bytes of it that are still to come
	head    [9]byte
	headLen int
	frame   frame
	partial map[uint32]*arriving // by stream
	waits   <-chan struct{}      // closes when the message of which the prefix has passed has room; nil: it has
}

// frame is the one that is passing by.
type frame struct {
	kind, flags byte
	stream      uint32
	left        int  // of the payload
	pad         int  // padding at its end
	padded      bool // its first byte says how much
}

// arriving is a message of which the beginning is there.
type arriving struct {
	prefix [5]byte // flag and length
	have   int     // of the prefix
	left   int     // of the message
	room   int     // that it takes
}

// small is up to what size a message takes no room.
const small = 4 << 10

// What is looked at of HTTP/2 (RFC 9113, sections 3.4 and 6).
const (
	prefaceBytes                        = 24
	frameData, frameHeaders, frameReset = 0x0, 0x1, 0x3
	flagEndStream, flagPadded           = 0x1, 0x8
)

var (
	errTooManyPartial = errors.New("more messages are arriving than there can be streams")
	errNoRoom         = errors.New("closed: requests that are arriving take too much memory (xds.Config.MaxRequestBytesInAll)")
)

// close gives back all room. It may be called again.
func (in *inbound) close() {
	in.once.Do(func() {
		close(in.closed)
		in.room.leave(in)
	})
}

// feed takes in the next bytes, up to the prefix of a message for which there
// is no room: what was before it must go on to gRPC, or its room would never be
// given back. It returns how many bytes these are.
func (in *inbound) feed(all []byte) (fed int, err error) {
	b := all
	n := min(in.preface, len(b))
	in.preface, b = in.preface-n, b[n:]
	for len(b) > 0 && in.waits == nil {
		switch f := &in.frame; {
		case in.headLen < len(in.head):
			n := copy(in.head[in.headLen:], b)
			in.headLen, b = in.headLen+n, b[n:]
			if in.headLen < len(in.head) {
				continue
			}
			in.frame = frameOf(in.head)
		case f.padded:
			f.padded, f.left, f.pad = false, f.left-1, min(int(b[0]), f.left-1)
			b = b[1:]
		default:
			n := min(f.left, len(b))
			if data := min(n, f.left-f.pad); f.kind == frameData && data > 0 {
				in.spoke.Store(true)
				taken, err := in.take(f.stream, b[:data])
				if err != nil {
					return len(all) - len(b), err
				}
				if taken < data {
					n = taken
				}
			}
			f.left, b = f.left-n, b[n:]
		}
		if f := in.frame; in.headLen == len(in.head) && f.left == 0 {
			in.headLen = 0
			if f.kind == frameReset || f.flags&flagEndStream != 0 && (f.kind == frameData || f.kind == frameHeaders) {
				in.drop(f.stream)
			}
		}
	}
	return len(all) - len(b), nil
}

// await waits until there is room for what comes next.
func (in *inbound) await() error {
	if in.waits == nil {
		return nil
	}
	err := in.room.await(in, in.waits)
	in.waits = nil
	return err
}

func frameOf(head [9]byte) frame {
	f := frame{
		kind: head[3], flags: head[4],
		left:   int(head[0])<<16 | int(head[1])<<8 | int(head[2]),
		stream: binary.BigEndian.Uint32(head[5:]) & (1<<31 - 1),
	}
	f.padded = f.kind == frameData && f.flags&flagPadded != 0 && f.left > 0
	return f
}

// take takes in data of a stream, as far as there is room, and returns how much
// that was.
func (in *inbound) take(stream uint32, all []byte) (taken int, err error) {
	data := all
	for len(data) > 0 && in.waits == nil {
		a := in.partial[stream]
		if a == nil {
			if len(in.partial) >= in.most {
				return len(all) - len(data), errTooManyPartial
			}
			a = &arriving{}
			in.partial[stream] = a
		}
		if a.have < len(a.prefix) {
			n := copy(a.prefix[a.have:], data)
			a.have, data = a.have+n, data[n:]
			if a.have < len(a.prefix) {
				break
			}
			a.left = int(binary.BigEndian.Uint32(a.prefix[1:]))
			if a.left > small && a.left <= in.limit {
				a.room = a.left
				if in.waits = in.room.ask(in, a.left); in.waits != nil {
					break
				}
			}
		}
		n := min(a.left, len(data))
		a.left, data = a.left-n, data[n:]
		if a.left == 0 {
			delete(in.partial, stream)
			in.room.arrived(in, stream, a.room, in.frame.flags&flagEndStream != 0)
		}
	}
	return len(all) - len(data), nil
}

// drop forgets what of a stream is arriving, or there.
func (in *inbound) drop(stream uint32) {
	if a := in.partial[stream]; a != nil {
		in.room.give(in, a.room)
		delete(in.partial, stream)
	}
	in.room.forget(in, stream)
}
