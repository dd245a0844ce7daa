package swarm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// What the client allows the server to send ahead. It is given back in large
// parts, so that it costs nothing.
const (
	receiveWindow = 16 << 20
	defaultWindow = 65_535 // RFC 9113, section 6.9.2
	frameHeader   = 9
	maxFrame      = 16 << 10 // the least that everyone takes
	maxControl    = 64 << 10 // of a frame that is no data
)

// h2 is the one stream of an HTTP/2 connection (RFC 9113), as far as a gRPC
// client needs it.
type h2 struct {
	messages messages // of the stream

	out []byte // to be written

	head    [frameHeader]byte
	headLen int
	frame   http2.FrameHeader
	left    int    // of the frame's payload
	padding int    // at its end
	padded  bool   // its first byte tells how much
	control []byte // the payload of a frame that is no data

	unsaid int // bytes received that the server was not given back

	queue         [][]byte // of messages, to be sent as the windows allow
	streamWindow  int
	connWindow    int
	initialWindow int
}

// open begins the connection and the stream.
func (c *h2) open(authority, path string) {
	c.streamWindow, c.connWindow, c.initialWindow = defaultWindow, defaultWindow, defaultWindow
	c.out = append(c.out, http2.ClientPreface...)
	c.appendHeader(12, http2.FrameSettings, 0, 0)
	c.out = binary.BigEndian.AppendUint16(c.out, uint16(http2.SettingEnablePush))
	c.out = binary.BigEndian.AppendUint32(c.out, 0)
	c.out = binary.BigEndian.AppendUint16(c.out, uint16(http2.SettingInitialWindowSize))
	c.out = binary.BigEndian.AppendUint32(c.out, receiveWindow)
	c.appendWindowUpdate(0, receiveWindow-defaultWindow)
	headers := headerBlock(authority, path)
	c.appendHeader(len(headers), http2.FrameHeaders, http2.FlagHeadersEndHeaders, 1)
	c.out = append(c.out, headers...)
}

// headerBlock begins a gRPC request. It uses no dynamic table, so each
// connection may have it.
func headerBlock(authority, path string) []byte {
	var block writer
	e := hpack.NewEncoder(&block)
	e.SetMaxDynamicTableSize(0)
	for _, f := range []hpack.HeaderField{
		{Name: ":method", Value: "POST"}, {Name: ":scheme", Value: "http"}, {Name: ":path", Value: path}, {Name: ":authority", Value: authority},
		{Name: "content-type", Value: "application/grpc"}, {Name: "te", Value: "trailers"}, {Name: "user-agent", Value: "deltaplane-bench"},
	} {
		_ = e.WriteField(f) // to memory
	}
	return block
}

type writer []byte

func (w *writer) Write(b []byte) (int, error) {
	*w = append(*w, b...)
	return len(b), nil
}

func (c *h2) appendHeader(length int, t http2.FrameType, flags http2.Flags, stream uint32) {
	c.out = append(c.out, byte(length>>16), byte(length>>8), byte(length), byte(t), byte(flags))
	c.out = binary.BigEndian.AppendUint32(c.out, stream)
}

func (c *h2) appendWindowUpdate(stream uint32, by int) {
	c.appendHeader(4, http2.FrameWindowUpdate, 0, stream)
	c.out = binary.BigEndian.AppendUint32(c.out, uint32(by))
}

// send queues a message, made of parts, and puts out what the server lets in
// now. The parts must not change until they have gone.
func (c *h2) send(parts ...[]byte) {
	length := 0
	for _, part := range parts {
		length += len(part)
	}
	prefix := binary.BigEndian.AppendUint32([]byte{0}, uint32(length))
	c.queue = append(c.queue, append(prefix, parts[0]...))
	for _, part := range parts[1:] {
		if len(part) > 0 {
			c.queue = append(c.queue, part)
		}
	}
	c.push()
}

// ack is send for a small message, which it copies.
func (c *h2) ack(build func([]byte) []byte) {
	start := len(c.out)
	c.appendHeader(0, http2.FrameData, 0, 1)
	c.out = append(c.out, 0, 0, 0, 0, 0)
	c.out = build(c.out)
	length := len(c.out) - start - frameHeader
	if len(c.queue) > 0 || length > min(c.streamWindow, c.connWindow, maxFrame) {
		message := append([]byte(nil), c.out[start+frameHeader+5:]...)
		c.out = c.out[:start]
		c.send(message)
		return
	}
	c.out[start], c.out[start+1], c.out[start+2] = byte(length>>16), byte(length>>8), byte(length)
	binary.BigEndian.PutUint32(c.out[start+frameHeader+1:], uint32(length-5))
	c.streamWindow, c.connWindow = c.streamWindow-length, c.connWindow-length
}

// push puts out what of the queue the server lets in.
func (c *h2) push() {
	for len(c.queue) > 0 {
		n := min(len(c.queue[0]), maxFrame, c.streamWindow, c.connWindow)
		if n <= 0 {
			return
		}
		c.appendHeader(n, http2.FrameData, 0, 1)
		c.out = append(c.out, c.queue[0][:n]...)
		c.streamWindow, c.connWindow = c.streamWindow-n, c.connWindow-n
		if c.queue[0] = c.queue[0][n:]; len(c.queue[0]) == 0 {
			c.queue = c.queue[1:]
		}
	}
}

// sent reports whether all messages are out.
func (c *h2) sent() bool { return len(c.queue) == 0 }

// feed takes in what was read.
func (c *h2) feed(b []byte) error {
	for len(b) > 0 {
		if c.headLen < frameHeader {
			n := copy(c.head[c.headLen:], b)
			c.headLen, b = c.headLen+n, b[n:]
			if c.headLen < frameHeader {
				return nil
			}
			if err := c.beginFrame(); err != nil {
				return err
			}
		}
		n := min(c.left, len(b))
		if err := c.payload(b[:n]); err != nil {
			return err
		}
		c.left, b = c.left-n, b[n:]
		if c.left == 0 {
			if err := c.endFrame(); err != nil {
				return err
			}
			c.headLen = 0
		}
	}
	return nil
}

func (c *h2) beginFrame() error {
	h := &c.head
	c.left = int(h[0])<<16 | int(h[1])<<8 | int(h[2])
	c.frame = http2.FrameHeader{Type: http2.FrameType(h[3]), Flags: http2.Flags(h[4]), Length: uint32(c.left), StreamID: binary.BigEndian.Uint32(h[5:]) & (1<<31 - 1)}
	data := c.frame.Type == http2.FrameData
	if !data && c.left > maxControl {
		return fmt.Errorf("the server sent a frame %s of %d bytes", c.frame.Type, c.left)
	}
	c.padded, c.padding, c.control = data && c.frame.Flags.Has(http2.FlagDataPadded), 0, c.control[:0]
	return nil
}

// payload takes a piece of a frame's.
func (c *h2) payload(b []byte) error {
	if c.frame.Type != http2.FrameData {
		c.control = append(c.control, b...)
		return nil
	}
	c.unsaid += len(b)
	rest := c.left - len(b) // of the frame, after this piece
	if c.padded && len(b) > 0 {
		c.padded, c.padding, b = false, int(b[0]), b[1:]
	}
	return c.messages.feed(b[:max(0, len(b)-max(0, c.padding-rest))])
}

// endFrame acts on a frame that is there.
func (c *h2) endFrame() error {
	switch c.frame.Type {
	case http2.FrameData:
		if c.unsaid >= receiveWindow/2 {
			c.appendWindowUpdate(0, c.unsaid)
			c.appendWindowUpdate(1, c.unsaid)
			c.unsaid = 0
		}
	case http2.FrameSettings:
		return c.settings()
	case http2.FramePing:
		if !c.frame.Flags.Has(http2.FlagPingAck) && len(c.control) == 8 {
			c.appendHeader(8, http2.FramePing, http2.FlagPingAck, 0)
			c.out = append(c.out, c.control...)
		}
	case http2.FrameWindowUpdate:
		if len(c.control) != 4 {
			return errors.New("the server sent a WINDOW_UPDATE that is none")
		}
		by := int(binary.BigEndian.Uint32(c.control) & (1<<31 - 1))
		if c.frame.StreamID == 0 {
			c.connWindow += by
		} else {
			c.streamWindow += by
		}
		c.push()
	case http2.FrameHeaders:
		return c.headers()
	case http2.FrameRSTStream, http2.FrameGoAway:
		return fmt.Errorf("the server ended the stream with %s %x: %w", c.frame.Type, c.control, io.EOF)
	}
	return nil
}

func (c *h2) settings() error {
	if c.frame.Flags.Has(http2.FlagSettingsAck) {
		return nil
	}
	for s := c.control; len(s) >= 6; s = s[6:] {
		if http2.SettingID(binary.BigEndian.Uint16(s)) == http2.SettingInitialWindowSize {
			size := int(binary.BigEndian.Uint32(s[2:]))
			c.streamWindow += size - c.initialWindow
			c.initialWindow = size
		}
	}
	c.appendHeader(0, http2.FrameSettings, http2.FlagSettingsAck, 0)
	c.push()
	return nil
}

// headers are those that begin the answer, or the trailers that end it.
func (c *h2) headers() error {
	if !c.frame.Flags.Has(http2.FlagHeadersEndStream) {
		return nil
	}
	fields, err := hpack.NewDecoder(4096, nil).DecodeFull(c.control)
	if err != nil {
		// The trailers may refer to a table that this client does not keep.
		return errors.New("the server ended the stream")
	}
	text := ""
	for _, f := range fields {
		if f.Name == "grpc-status" || f.Name == "grpc-message" {
			text += " " + f.Value
		}
	}
	return fmt.Errorf("the server ended the stream:%s", text)
}

func (c *h2) output() *[]byte { return &c.out }
