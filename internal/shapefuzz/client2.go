package shapefuzz

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// client2 sends requests over HTTP/2 to one listener, one after the other. Not
// safe for concurrent use.
type client2 struct {
	address string // host:port
	conn    net.Conn
	framer  *http2.Framer
	headers *hpack.Encoder
	block   bytes.Buffer // what headers writes into
	last    uint32       // stream
}

func (c *client2) close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

// send is client.send over HTTP/2.
func (c *client2) send(q Request, id string) string {
	_, port, _ := strings.Cut(c.address, ":")
	used := c.conn != nil
	text, err := c.try(q, id, port)
	if err != nil && used {
		text, err = c.try(q, id, port) // the connection was closed meanwhile
	}
	if err != nil {
		text = noAnswer(err)
	}
	return scrubbed(text, id, port)
}

func (c *client2) try(q Request, id, port string) (text string, err error) {
	if c.conn == nil {
		if err := c.dial(); err != nil {
			return "", err
		}
	}
	if err = c.conn.SetDeadline(time.Now().Add(patience)); err == nil {
		if err = c.write(q, id, port); err == nil {
			text, err = c.read()
		}
	}
	if err != nil {
		c.close()
	}
	return text, err
}

func (c *client2) dial() error {
	conn, err := net.Dial("tcp", c.address)
	if err != nil {
		return err
	}
	c.conn, c.framer, c.last = conn, http2.NewFramer(conn, conn), 0
	c.block.Reset()
	c.headers = hpack.NewEncoder(&c.block)
	c.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if _, err := conn.Write([]byte(http2.ClientPreface)); err != nil {
		return err
	}
	return c.framer.WriteSettings()
}

// write sends a request on a new stream. A CONNECT ends it with an empty frame,
// as does a body.
func (c *client2) write(q Request, id, port string) error {
	c.block.Reset()
	for _, h := range q.fields2(id, port) {
		if err := c.headers.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]}); err != nil {
			return err
		}
	}
	if c.last += 2; c.last == 2 {
		c.last = 1
	}
	if err := c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: c.last, BlockFragment: c.block.Bytes(), EndHeaders: true, EndStream: q.Body == ""}); err != nil {
		return err
	}
	if q.Body == "" {
		return nil
	}
	return c.framer.WriteData(c.last, true, []byte(q.Body))
}

// fields2 are the request's header fields in HTTP/2, with an id and for a
// listener with a port.
func (q Request) fields2(id, port string) [][2]string {
	all := [][2]string{{":method", q.Method}}
	if q.Method == http.MethodConnect {
		all = append(all, [2]string{":authority", own(q.Target, port)})
	} else {
		all = append(all, [2]string{":scheme", "http"}, [2]string{":authority", own(q.Host, port)}, [2]string{":path", own(q.Target, port)})
	}
	all = append(all, [2]string{idHeader, id})
	for _, h := range q.Headers {
		all = append(all, [2]string{strings.ToLower(h[0]), h[1]})
	}
	return all
}

// read returns the answer on the last stream as text.
func (c *client2) read() (string, error) {
	var headers []string
	var body bytes.Buffer
	all := func() string {
		slices.Sort(headers)
		return strings.Join(headers, "\n") + "\n" + body.String()
	}
	for {
		frame, err := c.framer.ReadFrame()
		if err != nil {
			return "", err
		}
		if f, ok := frame.(*http2.SettingsFrame); ok && !f.IsAck() {
			if err := c.framer.WriteSettingsAck(); err != nil {
				return "", err
			}
		}
		if f, ok := frame.(*http2.GoAwayFrame); ok {
			c.close()
			return fmt.Sprint("go away: ", f.ErrCode), nil
		}
		if frame.Header().StreamID != c.last {
			continue
		}
		switch f := frame.(type) {
		case *http2.RSTStreamFrame:
			return all() + fmt.Sprint("reset: ", f.ErrCode), nil
		case *http2.MetaHeadersFrame:
			for _, h := range f.Fields {
				if h.Name != "date" && h.Name != "x-envoy-upstream-service-time" {
					headers = append(headers, h.Name+": "+h.Value)
				}
			}
			if f.StreamEnded() {
				return all(), nil
			}
		case *http2.DataFrame:
			body.Write(f.Data())
			if f.StreamEnded() {
				return all(), nil
			}
			if n := f.Length; n > 0 {
				if err := c.framer.WriteWindowUpdate(0, n); err != nil {
					return "", err
				}
			}
		}
	}
}
