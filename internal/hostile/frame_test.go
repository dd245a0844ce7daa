package hostile

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/deltaplane/deltaplane/internal/envoytest"
)

// link is a connection on which every frame is the test's own.
type link struct {
	*http2.Framer
	conn net.Conn
	gone chan struct{} // closed when the server has closed the connection

	windows chan uint32 // for stream 1: what more the server takes
}

// dial opens a connection without saying anything.
func (s *siege) dial() net.Conn {
	s.Helper()
	conn, err := net.Dial("tcp", s.plane.XDS)
	if err != nil {
		s.Fatal(err)
	}
	s.closers = append(s.closers, func() { conn.Close() })
	return conn
}

// link opens a connection and says what HTTP/2 begins with. What the server
// says is read, and forgotten but for the window.
func (s *siege) link() *link {
	s.Helper()
	conn := s.dial()
	l := &link{http2.NewFramer(conn, conn), conn, make(chan struct{}), make(chan uint32, 1024)}
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		s.Fatal(err)
	}
	if err := l.WriteSettings(); err != nil {
		s.Fatal(err)
	}
	reading := make(chan struct{})
	s.closers = append(s.closers, func() { <-reading })
	go func() {
		defer close(reading)
		defer close(l.gone)
		for {
			frame, err := l.ReadFrame()
			if err != nil {
				return
			}
			if w, ok := frame.(*http2.WindowUpdateFrame); ok && w.StreamID == 1 {
				select {
				case l.windows <- w.Increment:
				default:
				}
			}
		}
	}()
	return l
}

// closed waits until the server has closed the connection.
func (s *siege) closed(l *link) {
	s.Helper()
	select {
	case <-l.gone:
	case <-envoytest.Context(s).Done():
		s.Fatal("the server has not closed the connection")
	}
}

// headers opens streams on the aggregated service, with more fields.
func headers(more ...string) []byte {
	var b bytes.Buffer
	encoder := hpack.NewEncoder(&b)
	fields := append([]string{":method", "POST", ":scheme", "http", ":path", delta, ":authority", "x", "content-type", "application/grpc", "te", "trailers"}, more...)
	for i := 0; i < len(fields); i += 2 {
		_ = encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}) // into memory
	}
	return b.Bytes()
}

// frames are what a connection says until the server closes it, or the
// function has enough.
var frames = []struct {
	name   string
	closes bool // the server must have enough of it
	say    func(*link) error
}{
	{"random bytes", true, func(l *link) error {
		random := rand.NewChaCha8([32]byte{1})
		_, err := io.CopyN(l.conn, random, 1<<20)
		return err
	}},
	{"headers that never end", true, func(l *link) error {
		err := l.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: headers()})
		for n := 0; n < 10_000 && err == nil; n++ {
			err = l.WriteContinuation(1, false, bytes.Repeat([]byte{0x40, 1, 'a', 1, 'b'}, 3000))
		}
		return err
	}},
	{"a header of 4 KB, referred to ten million times", false, func(l *link) error {
		block := headers("x", string(bytes.Repeat([]byte{'x'}, 3900)))
		var err error
		for id := uint32(1); id < 2000 && err == nil; id += 2 {
			err = l.WriteHeaders(http2.HeadersFrameParam{StreamID: id, EndHeaders: true,
				BlockFragment: append(block, bytes.Repeat([]byte{0x80 | 62}, 10_000)...)})
			block = nil
		}
		return err
	}},
	{"pings", true, func(l *link) error {
		var err error
		for n := 0; n < 100_000 && err == nil; n++ {
			err = l.WritePing(false, [8]byte{})
		}
		return err
	}},
	{"settings", false, func(l *link) error {
		var err error
		for n := 0; n < 100_000 && err == nil; n++ {
			err = l.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: uint32(n)})
		}
		return err
	}},
	{"data of streams that do not exist", false, func(l *link) error {
		var err error
		for id := uint32(1); id < 20_000 && err == nil; id += 2 {
			err = l.WriteData(id, false, make([]byte, 100))
		}
		return err
	}},
	{"more window than there is", false, func(l *link) error {
		var err error
		for n := 0; n < 10 && err == nil; n++ {
			err = l.WriteWindowUpdate(0, 1<<31-1)
		}
		return err
	}},
	{"streams that are reset at once", false, func(l *link) error {
		var err error
		block := headers()
		for n := 0; n < resets && err == nil; n++ {
			id := uint32(2*n + 1)
			if err = l.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block, EndHeaders: true}); err == nil {
				err = l.WriteRSTStream(id, http2.ErrCodeCancel)
			}
		}
		return err
	}},
	{"more streams than are allowed", false, func(l *link) error {
		var err error
		block := headers()
		for id := uint32(1); id < 40_000 && err == nil; id += 2 {
			err = l.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block, EndHeaders: true})
		}
		return err
	}},
}

func TestHostileFramesDisturbNobody(t *testing.T) {
	s := besiege(t)
	for _, f := range frames {
		s.under(f.name, 512, func(s *siege) {
			l := s.link()
			err := f.say(l)
			if f.closes {
				s.closed(l)
			} else if err != nil {
				s.Logf("the server had enough: %v", err)
			}
			s.more(3)
		})
	}
}

func TestConnectionsThatSayNothingDisturbNobody(t *testing.T) {
	s := besiege(t)
	s.under("no byte", 256, func(s *siege) {
		for range connections {
			s.dial()
		}
		s.more(3)
	})
	s.under("no stream", 256, func(s *siege) {
		for range connections {
			s.link()
		}
		s.more(3)
	})
	s.under("1,000 streams without a request", 256, func(s *siege) {
		conn := s.connect()
		for range 1000 {
			s.talk(conn, delta)
		}
		s.more(3)
	})
	s.under("1,000 streams with one", 256, func(s *siege) {
		conn := s.connect()
		for range 1000 {
			s.talk(conn, delta, asking("*"))
		}
		s.more(3)
	})
}

// Each connection announces a request of 30 MiB and sends all but its end.
func TestRequestsThatNeverEndTakeBoundedMemory(t *testing.T) {
	s := besiege(t)
	s.under("all but the last byte", 450, func(s *siege) {
		ctx, cancel := context.WithCancel(envoytest.Context(s))
		var sending sync.WaitGroup
		for range stalled {
			l := s.link()
			sending.Go(func() { l.almost(ctx, 30<<20) })
		}
		s.more(20)
		cancel()
		s.end()
		sending.Wait()
	})
}

// Each connection announces the request of an Envoy and sends it byte by byte.
func TestRequestsThatDripDisturbNobody(t *testing.T) {
	s := besiege(t)
	s.under("a byte at a time", 256, func(s *siege) {
		ctx, cancel := context.WithCancel(envoytest.Context(s))
		var dripping sync.WaitGroup
		for range connections {
			l := s.link()
			dripping.Go(func() { l.drip(ctx, 61_000) })
		}
		s.more(100)
		cancel()
		s.end()
		dripping.Wait()
	})
}

// drip announces a request and sends it in frames of a byte, until ctx ends.
func (l *link) drip(ctx context.Context, size int) {
	if l.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: headers(), EndHeaders: true}) != nil {
		return
	}
	announced := make([]byte, 5)
	binary.BigEndian.PutUint32(announced[1:], uint32(size))
	err := l.WriteData(1, false, announced)
	drop := time.NewTicker(10 * time.Millisecond)
	defer drop.Stop()
	for sent := 0; sent < size-1 && err == nil; sent++ {
		select {
		case <-drop.C:
			err = l.WriteData(1, false, []byte{0})
		case <-ctx.Done():
			return
		}
	}
}

// almost sends all but the last byte of a request, as far as the server lets
// it before ctx ends.
func (l *link) almost(ctx context.Context, size int) {
	if l.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: headers(), EndHeaders: true}) != nil {
		return
	}
	announced := make([]byte, 5)
	binary.BigEndian.PutUint32(announced[1:], uint32(size))
	if l.WriteData(1, false, announced) != nil {
		return
	}
	window, chunk := 65_535-len(announced), make([]byte, 16<<10)
	for left := size - 1; left > 0; {
		n := min(left, window, len(chunk))
		if n > 0 {
			if l.WriteData(1, false, chunk[:n]) != nil {
				return
			}
			left, window = left-n, window-n
			continue
		}
		select {
		case more := <-l.windows:
			window += int(more)
		case <-l.gone:
			return
		case <-ctx.Done():
			return
		}
	}
	select {
	case <-l.gone:
	case <-ctx.Done():
	}
}
