package cost

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// proxy is one simulated Envoy: a connection with one incremental aggregated
// stream. It accepts every response and keeps nothing of it.
type proxy struct {
	conn    net.Conn
	framer  *http2.Framer    // its writing half is guarded by mu
	pace    <-chan time.Time // each response waits for one; nil: it does not
	closing chan struct{}    // closed by close
	gone    chan struct{}    // closed when read has returned
	heard   *tally

	mu  sync.Mutex
	out []byte // guarded by mu

	// Touched only by read.
	message []byte // as far as it has come, with gRPC's prefix
	cause   error  // of the end
}

// tally is what proxies have heard in all.
type tally struct {
	responses, resources, removed, bytes atomic.Int64
}

// reset forgets what was heard.
func (t *tally) reset() {
	t.responses.Store(0)
	t.resources.Store(0)
	t.removed.Store(0)
	t.bytes.Store(0)
}

const stream = 1 // of each connection

// Fields of discovery messages.
const (
	requestType, requestNonce                                         protowire.Number = 2, 6
	responseResources, responseType, responseNonce, responseRemovedNo protowire.Number = 2, 4, 5, 6
)

// connect opens a proxy's stream and says nothing on it yet. With a pace it
// reads a response only when one comes from there.
func connect(address string, heard *tally, pace <-chan time.Time) (*proxy, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	p := &proxy{conn: conn, framer: http2.NewFramer(conn, conn), pace: pace, closing: make(chan struct{}), gone: make(chan struct{}), heard: heard}
	p.framer.SetReuseFrames()
	if err := p.begin(); err != nil {
		conn.Close()
		return nil, err
	}
	go p.read()
	return p, nil
}

// begin says what HTTP/2 and the stream begin with (RFC 9113, section 3.4).
// The windows never close: what is measured is not flow control.
func (p *proxy) begin() error {
	const window = 1 << 30
	_, err := io.WriteString(p.conn, http2.ClientPreface)
	return errors.Join(err,
		p.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: window}),
		p.framer.WriteWindowUpdate(0, window),
		p.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: opening, EndHeaders: true}))
}

// opening are the header fields of a stream on the aggregated service.
var opening = func() []byte {
	var b bytes.Buffer
	encoder := hpack.NewEncoder(&b)
	for _, f := range [][2]string{
		{":method", "POST"}, {":scheme", "http"}, {":authority", "cost"},
		{":path", discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResources_FullMethodName},
		{"content-type", "application/grpc"}, {"te", "trailers"},
	} {
		_ = encoder.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}) // into memory
	}
	return b.Bytes()
}()

// say sends a request.
func (p *proxy) say(m *discoveryv3.DeltaDiscoveryRequest) error {
	data, err := proto.Marshal(m)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.out = append(p.out[:0], 0, 0, 0, 0, 0)
	p.out = append(p.out, data...)
	return p.flushLocked()
}

// flushLocked sends p.out, with room for gRPC's prefix at its head, in frames
// of the size that every server takes. p.mu is held.
func (p *proxy) flushLocked() error {
	const largest = 16 << 10
	binary.BigEndian.PutUint32(p.out[1:], uint32(len(p.out)-5))
	for rest := p.out; len(rest) > 0; {
		n := min(len(rest), largest)
		if err := p.framer.WriteData(stream, false, rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// read takes responses until the connection ends.
func (p *proxy) read() {
	defer close(p.gone)
	for p.cause == nil {
		var frame http2.Frame
		if frame, p.cause = p.framer.ReadFrame(); p.cause != nil {
			return
		}
		switch f := frame.(type) {
		case *http2.DataFrame:
			p.cause = p.take(f.Data())
		case *http2.SettingsFrame:
			if !f.IsAck() {
				p.cause = p.write(p.framer.WriteSettingsAck)
			}
		case *http2.PingFrame:
			if !f.IsAck() {
				p.cause = p.write(func() error { return p.framer.WritePing(true, f.Data) })
			}
		case *http2.HeadersFrame:
			if f.StreamEnded() {
				p.cause = errors.New("the server has ended the stream")
			}
		}
	}
}

func (p *proxy) write(frame func() error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return frame()
}

// take takes in data of the stream.
func (p *proxy) take(data []byte) error {
	const prefix, kept = 5, 2 << 10 // what a proxy at rest keeps is not to be taken for the server's
	p.message = append(p.message, data...)
	for len(p.message) >= prefix {
		size := prefix + int(binary.BigEndian.Uint32(p.message[1:]))
		if len(p.message) < size {
			return nil
		}
		if p.pace != nil {
			select {
			case <-p.pace:
			case <-p.closing:
				return net.ErrClosed
			}
		}
		if err := p.accept(p.message[prefix:size]); err != nil {
			return err
		}
		p.message = p.message[:copy(p.message, p.message[size:])]
	}
	if len(p.message) == 0 && cap(p.message) > kept {
		p.message = nil
	}
	return nil
}

// accept counts a response and acknowledges it.
func (p *proxy) accept(response []byte) error {
	var typeURL, nonce []byte
	resources, removed := 0, 0
	for rest := response; len(rest) > 0; {
		number, kind, n := protowire.ConsumeTag(rest)
		if n < 0 || kind != protowire.BytesType {
			return errors.New("the response is not one of the incremental protocol")
		}
		value, m := protowire.ConsumeBytes(rest[n:])
		if m < 0 {
			return protowire.ParseError(m)
		}
		switch number {
		case responseType:
			typeURL = value
		case responseNonce:
			nonce = value
		case responseResources:
			resources++
		case responseRemovedNo:
			removed++
		}
		rest = rest[n+m:]
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.out = append(p.out[:0], 0, 0, 0, 0, 0)
	p.out = protowire.AppendBytes(protowire.AppendTag(p.out, requestType, protowire.BytesType), typeURL)
	p.out = protowire.AppendBytes(protowire.AppendTag(p.out, requestNonce, protowire.BytesType), nonce)
	// Counted first: the server must not hear of it before the test can.
	p.heard.responses.Add(1)
	p.heard.resources.Add(int64(resources))
	p.heard.removed.Add(int64(removed))
	p.heard.bytes.Add(int64(len(response)))
	return p.flushLocked()
}

// close ends the connection and waits for its reader. The error is why the
// connection had ended before.
func (p *proxy) close() (err error) {
	select {
	case <-p.gone:
		err = fmt.Errorf("a proxy's connection ended: %w", p.cause)
	default:
	}
	close(p.closing)
	p.conn.Close()
	<-p.gone
	return err
}
