package wire

import (
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
)

// Frame is a discovery response without its nonce. It is immutable and any
// number of streams may send it at a time.
type Frame struct {
	pieces  mem.BufferSlice
	size    int
	nonce   protowire.Number // field of the nonce
	version string
}

// Size is the length of the response in bytes, without the nonce.
func (f *Frame) Size() int { return f.size }

// Version is the version_info or system_version_info inside.
func (f *Frame) Version() string { return f.version }

// Response is a Frame with the nonce of one stream: the message that Codec
// hands to gRPC.
type Response struct {
	Frame *Frame
	Nonce string
}

// Size is the length of the message in bytes, up to a few for the nonce's tag.
func (r *Response) Size() int { return r.Frame.size + len(r.Nonce) }

// outgoing is room for what most responses add to their frames, in one piece.
type outgoing struct {
	list  [4]mem.Buffer
	nonce mem.SliceBuffer // in tail, if that suffices
	tail  [40]byte
}

// buffers lists r's bytes. The shared pieces are not copied.
func (r *Response) buffers() mem.BufferSlice {
	room := &outgoing{}
	list := append(mem.BufferSlice(room.list[:0]), r.Frame.pieces...)
	tail := protowire.AppendTag(room.tail[:0], r.Frame.nonce, protowire.BytesType)
	room.nonce = protowire.AppendString(tail, r.Nonce)
	return append(list, &room.nonce)
}

// small is the size in bytes up to which a body is copied into the frame
// rather than referred to: below it a further buffer costs more than the copy.
const small = 2048

// builder assembles a frame of copied and shared pieces.
type builder struct {
	done mem.BufferSlice
	tail []byte // copied, not yet in done
	size int
}

func (b *builder) bytesHeader(n protowire.Number, size int) {
	b.tail = protowire.AppendTag(b.tail, n, protowire.BytesType)
	b.tail = protowire.AppendVarint(b.tail, uint64(size))
}

func (b *builder) string(n protowire.Number, s string) {
	b.tail = protowire.AppendTag(b.tail, n, protowire.BytesType)
	b.tail = protowire.AppendString(b.tail, s)
}

// share appends p by reference if that pays.
func (b *builder) share(p []byte) {
	if len(p) <= small {
		b.tail = append(b.tail, p...)
		return
	}
	b.flush()
	b.done = append(b.done, mem.SliceBuffer(p))
	b.size += len(p)
}

func (b *builder) flush() {
	if len(b.tail) > 0 {
		b.done = append(b.done, mem.SliceBuffer(b.tail))
		b.size += len(b.tail)
		b.tail = nil
	}
}

func (b *builder) frame(nonce protowire.Number, version string) *Frame {
	b.flush()
	return &Frame{pieces: b.done, size: b.size, nonce: nonce, version: version}
}

// stringSize is the length of a string field with a tag of one byte.
func stringSize(s string) int { return 1 + protowire.SizeBytes(len(s)) }

// bytesSize is the length of a field of n bytes with a tag of one byte.
func bytesSize(n int) int { return 1 + protowire.SizeBytes(n) }

func lengthOf(pieces [][]byte) (n int) {
	for _, p := range pieces {
		n += len(p)
	}
	return n
}
